import type { Dataset } from "../data/dataset.js";
import { mustBe } from "../errors.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import type { TrainingEpoch } from "../plot/trainingData.js";
import type { CheckpointOptions } from "./checkpointFolder.js";
import { completeRecipe, type RecipeSettings } from "./completeRecipe.js";
import type { Run } from "./run.js";
import { stopSignal } from "./stopSignal.js";
import { Trainer } from "./trainer.js";

/** Settings of a run that are not part of the recipe. */
export interface TrainOptions {
  /** Stops the run after the step it is at. The stop button of a notebook does the same. */
  readonly signal?: AbortSignal;
  /** Whether to show progress: a live chart, a bar or lines; default true. */
  readonly show?: boolean;
  /** Whether steps may be captured as a CUDA graph, which gives the same weights sooner. Default true. */
  readonly compile?: boolean;
  /** Called after an epoch's evaluation. */
  readonly onEpoch?: (epoch: TrainingEpoch) => void;
  /** Writes what the run needs to go on: every so often, at its end, and when it is stopped. Default: never. */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Goes on from the newest checkpoint of the folder, if there is one, or from the one that is named. On the CPU the run
   * then ends with the same bits as one that was never interrupted. Default false.
   */
  readonly resume?: boolean | string;
  /** Folder for the run's log: `run.jsonl` while it goes on; at its end `steps.parquet`, `epochs.parquet`, `run.json`. */
  readonly log?: string;
}

/**
 * Trains a classifier. After every epoch it is evaluated on the validation images, and once at the end on the test
 * images; of data without validation images, on the test images after every epoch.
 *
 * Steps give way to the event loop, so a notebook stays alive. A stop returns what there is, the model as trained so
 * far; so does a run that diverges, with the last good weights. On the CPU the same seed, threads and build give the same
 * bits.
 *
 * ```ts
 * await kl.train(model, data, { recipe: "cifar", epochs: 50, checkpoint: { folder: "runs/1" }, resume: true });
 * ```
 *
 * @param model its parameters are updated in place
 * @param data its training images are drawn in a new random order every epoch
 * @param settings of the recipe, a named one and what differs from it, and of the run
 * @throws KatlabError `unknown` or `invalid` for a wrong setting, data that do not fit the model, or a checkpoint of
 *   another run
 * Source: AdamW with warm-up and cosine as in Touvron et al., "DeiT", 2021, table 9, sized for small images.
 */
export async function train(
  model: VisionTransformer,
  data: Dataset,
  settings: RecipeSettings & TrainOptions = {},
): Promise<Run> {
  const {
    signal,
    show = true,
    compile = true,
    onEpoch,
    checkpoint,
    resume = false,
    log,
    ...given
  } = settings;
  const recipe = await completeRecipe(given);
  checkFits(model, data);
  if (resume !== false && checkpoint === undefined) {
    throw mustBe({
      subject: "train",
      must: "a run that is resumed must have a checkpoint folder",
      got: "resume without checkpoint",
      remedy: 'Pass checkpoint: { folder: "…" } as well.',
    });
  }
  const trainer = new Trainer(model, data, recipe, {
    stop: stopSignal(signal),
    show,
    compile,
    onEpoch,
    checkpoint,
    log,
  });
  try {
    return await trainer.run(resume);
  } finally {
    trainer.dispose();
  }
}

function checkFits(model: VisionTransformer, data: Dataset): void {
  if (model.classes === data.classes.length) return;
  throw mustBe({
    subject: "train",
    must: `the model must have as many classes as ${data.name} (${data.classes.length})`,
    got: String(model.classes),
    remedy: `Create it with { classes: ${data.classes.length} }.`,
  });
}
