import { mustBe } from "../errors.js";
import type { RandomSource } from "../ops/uniformNumbers.js";
import type { ForwardOptions } from "./module.js";

/**
 * Where a layer draws from that acts at random in training.
 *
 * @param layer its path, or what it is
 * @param what the layer does, for the message: `"drop path"`
 * @throws KatlabError `invalid` when a pass in training brings none
 */
export function trainingRandom(layer: string, what: string, { random }: ForwardOptions): RandomSource {
  if (random !== undefined) return random;
  throw mustBe({
    subject: layer,
    must: `training with ${what} needs a source of random numbers`,
    got: "none",
    remedy: 'Pass for example { training: true, random: new Random(1).split("training") }.',
  });
}
