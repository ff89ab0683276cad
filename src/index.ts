/**
 * katlab: Kolmogorov–Arnold Transformers in TypeScript. This page is the table of contents.
 *
 * @packageDocumentation
 */

// TensorFlow.js in Node comes without gradients and chained methods: this must run first.
import "./torch/tfjsRegistrations.js";
import "./tensorDisplay.js";

/** TensorFlow.js, the tensor API: tensors go in and out of everything here. */
export * as tf from "@tensorflow/tfjs-core";

// Engine: what computes
export {
  describeEngine,
  EngineDescription,
  useEngine,
  type EngineName,
  type EngineOptions,
  type SkippedEngine,
} from "./engine.js";
export { EngineMemory } from "./memory.js";
export { findLeaks } from "./leaks/findLeaks.js";
export { LeakReport, type Leak } from "./leaks/leakReport.js";
export { type Precision } from "./torch/backend.js";
export { autocast } from "./autocast.js";
export {
  compileStep,
  type CompiledStep,
  type CompiledStepStatus,
  type CompileOptions,
  type StepResult,
} from "./compileStep.js";

// Derivatives
export { valueAndGrads, type ValueAndGrads } from "./autodiff/valueAndGrads.js";
export { hessianVectorProduct, type HessianVectorProduct } from "./autodiff/hessianVectorProduct.js";
export { Hessian, hessianAt, type HessianProduct } from "./autodiff/hessianAt.js";
export { jvp, type Jvp } from "./autodiff/jvp.js";
export { perSampleGrads, type PerSampleGrads } from "./autodiff/perSampleGrads.js";
export { type DifferenceCheck } from "./autodiff/centralDifference.js";

// Errors and random numbers
export { KatlabError } from "./errors.js";
export { Random } from "./random.js";

// Bases: learnable functions of one number, in float64
export { activations, type ActivationName } from "./bases/activations.js";
export {
  rational,
  rationalDenominator,
  rationalDerivatives,
  rationalGradient,
  type RationalCoefficients,
  type RationalDerivatives,
  type RationalGradient,
} from "./bases/rational.js";
export {
  type RationalDegrees,
  type RationalForm,
  rationalForms,
  rationalTerms,
} from "./bases/rationalForm.js";
export {
  denominatorMinimum,
  type DenominatorMinimum,
  rationalKinks,
  rationalPoles,
} from "./bases/rationalPoles.js";
export { numeratorNoise } from "./bases/numeratorNoise.js";
export {
  type FitCriterion,
  type FitError,
  fitError,
  fitRational,
  type FitRationalOptions,
  type RationalFit,
} from "./bases/fitRational.js";
export {
  rationalPreset,
  type RationalPreset,
  type RationalPresetName,
  type RationalPresetOptions,
} from "./bases/rationalPreset.js";
export { activationGain, gaussianMean, rationalGain } from "./bases/gain.js";

// Ops: differentiable functions of tensors
export { dropPath } from "./ops/dropPath.js";
export { gelu } from "./ops/gelu.js";
export { groupRational, type GroupRationalForm, type GroupRationalSettings } from "./ops/groupRational.js";
export { layerNorm } from "./ops/layerNorm.js";
export { linear } from "./ops/linear.js";
export { patches } from "./ops/patches.js";
export { scaledDotProductAttention, type AttentionOptions } from "./ops/scaledDotProductAttention.js";
export { UniformNumbers, type RandomSource } from "./ops/uniformNumbers.js";
export {
  softmaxCrossEntropy,
  type CrossEntropyOptions,
  type CrossEntropyTargets,
} from "./ops/softmaxCrossEntropy.js";

// Layers: functions that own parameters
export { type Sides } from "./shape.js";
export {
  Module,
  type ForwardOptions,
  type LoadedWeights,
  type LoadWeightsSettings,
  type Observation,
} from "./layers/module.js";
export { Parameter, type ParameterKind, type ParameterSpec } from "./layers/parameter.js";
export { type Initializer } from "./layers/initializer.js";
export { type LayerOutline } from "./layers/outline.js";
export { Scope } from "./layers/scope.js";
export { Attention, type AttentionLayerOptions, type AttentionWeights } from "./layers/attention.js";
export { DropPath } from "./layers/dropPath.js";
export { FixedActivation } from "./layers/fixedActivation.js";
export { Gelu } from "./layers/gelu.js";
export { GroupKan, type GroupKanOptions, type GroupKanWeights } from "./layers/groupKan.js";
export {
  GroupRational,
  type GroupRationalOptions,
  type RationalOptions,
  type RationalSharing,
  type Sharing,
} from "./layers/groupRational.js";
export {
  type MixerFunctionsOptions,
  type PerFunction,
  type RationalOptionsPerFunction,
} from "./layers/mixerFunctions.js";
export { LayerNorm, type LayerNormOptions } from "./layers/layerNorm.js";
export { LayerScale, type LayerScaleOptions } from "./layers/layerScale.js";
export { Linear, type LinearOptions } from "./layers/linear.js";
export { Mlp, type MlpOptions } from "./layers/mlp.js";
export { PatchEmbedding, type PatchEmbeddingOptions } from "./layers/patchEmbedding.js";
export { TransformerBlock, type TransformerBlockOptions } from "./layers/transformerBlock.js";

// Models
export { createModel, listModels, type ModelName } from "./models/registry.js";
export { type ModelOptions } from "./models/modelOptions.js";
export { ModelDescription } from "./models/modelDescription.js";
export { type KatOptions } from "./models/kat.js";
export { resizePositions, type PatchGrid, type ResizePositionsOptions } from "./models/resizePositions.js";
export { VisionTransformer, type Pooling, type VisionTransformerConfig } from "./models/visionTransformer.js";

// Data
export { loadDataset, type LoadOptions } from "./data/load.js";
export { type DatasetName } from "./data/catalogue.js";
export { type DatasetEntry, listDatasets } from "./data/listDatasets.js";
export { type Dataset, type Split } from "./data/dataset.js";
export { type DownloadProgress } from "./data/download.js";
export { imageFolder, type ImageFolderOptions } from "./data/imageFolder.js";
export { type LoadedBatch, loadedBatches, type LoadedBatchesOptions } from "./data/loadedBatches.js";
export {
  augmentedBatch,
  type AugmentedBatch,
  type AugmentedBatchOptions,
} from "./data/augment/augmentedBatch.js";
export { type InterpolationName } from "./data/augment/interpolation.js";
export { type Normalisation } from "./data/augment/normalisation.js";
export { syntheticImages, type SyntheticDataset, type SyntheticOptions } from "./data/syntheticImages.js";

// Trained models
export {
  loadPretrained,
  type LoadPretrainedOptions,
  type PretrainedFile,
  type PretrainedFolder,
  type PretrainedSource,
  type PretrainedUrl,
} from "./pretrained/loadPretrained.js";
export {
  type PretrainedInput,
  type PretrainedName,
  type PretrainedWeights,
  pretrainedWeights,
} from "./pretrained/pretrainedWeights.js";
export { exportModel } from "./pretrained/exportModel.js";
export {
  type ExportedData,
  type ExportedResult,
  type ExportedRun,
  type ExportOptions,
  type ModelConfig,
  readModelConfig,
} from "./pretrained/modelConfig.js";

// Training
export { type AugmentationSettings } from "./data/augment/settings.js";
export { train, type TrainOptions } from "./training/train.js";
export { trainingStep, type Step } from "./training/step.js";
export { TrainingSteps, type TrainingBatch, type TrainingStepsOptions } from "./training/trainingSteps.js";
export { AdamW, type AdamWSettings } from "./training/adamw.js";
export { clipByNorm } from "./training/clip.js";
export { warmupCosine } from "./training/schedule.js";
export { evaluate, type EvaluateOptions, type Evaluation } from "./training/evaluate.js";
export { completeRecipe, type RecipeSettings } from "./training/completeRecipe.js";
export { type Recipe, type RecipeChanges } from "./training/recipe.js";
export { recipeDropPath, recipes, type NamedRecipe, type RecipeName } from "./training/recipes.js";
export { WeightAverage } from "./training/weightAverage.js";
export { type CheckpointOptions } from "./training/checkpointFolder.js";
export { type Divergence } from "./training/divergenceGuard.js";
export { Run, type RunRecord, type TestResult } from "./training/run.js";

// Weights in files
export { loadWeights, saveWeights, type LoadWeightsOptions, type Weighted } from "./io/checkpoint.js";
export {
  timmWeights,
  weightDifferences,
  type MismatchedShape,
  type WeightDifferences,
} from "./io/weightNames.js";
export { loadPth, type LoadPthOptions } from "./io/pth.js";
export { loadSafetensors, saveSafetensors, type LoadedTensors } from "./io/safetensors.js";

// Analysis: what is computed from a model
export {
  learnedActivations,
  type GroupActivation,
  type LayerActivation,
  type LearnedActivations,
  type LearnedActivationsOptions,
} from "./analysis/activations.js";
export {
  activationVariance,
  type ActivationVarianceOptions,
  type LayerVariance,
} from "./analysis/activationVariance.js";
export { type ImageSource } from "./analysis/observeImages.js";
export { type Histogram } from "./analysis/histogram.js";

// Plot: what is drawn
export { Figure, type DisplayBundle, type FigureParts } from "./plot/figure.js";
export { LiveFigure, type LiveOptions } from "./plot/liveFigure.js";
export { type DisplayHost } from "./plot/displayHost.js";
export { type Json, type JsonObject, type MimeBundle, type VegaLiteSpec } from "./plot/spec.js";
export { plotTraining, type TrainingPlotOptions } from "./plot/plotTraining.js";
export { type TrainingEpoch, type TrainingHistory, type TrainingStep } from "./plot/trainingData.js";
export { plotActivations, type ActivationPlotOptions } from "./plot/plotActivations.js";
export {
  type ActivationData,
  type GroupActivationData,
  type HistogramData,
  type LayerActivationData,
} from "./plot/activationData.js";
export { plotFunctions, type FunctionPlotOptions } from "./plot/plotFunctions.js";
export { plotSeries, type SeriesPlotOptions } from "./plot/plotSeries.js";
export { plotImages, type ImagePlotOptions, type LabelledImages } from "./plot/plotImages.js";
export { plotConfusion, type Confusion, type ConfusionPlotOptions } from "./plot/plotConfusion.js";

// Widgets: controls in notebooks
export { slider, type Slider, type SliderOptions } from "./widgets/slider.js";
export { select, type Select, type SelectOptions } from "./widgets/select.js";
export { button, type Button, type ButtonOptions } from "./widgets/button.js";
