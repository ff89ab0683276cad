/** What `createModel` may be asked for; everything has a default by the model's name. */
export interface ModelOptions {
  /** Classes the head tells apart. Default 1000; 10 for the test size. */
  readonly classes?: number;
  /** Seed of the first weights, any safe integer. Default 0. */
  readonly seed?: number;
  /** Stochastic depth: chance that the last block is skipped, in [0, 1); earlier blocks linearly less. Default 0. */
  readonly dropPath?: number;
  /** Height and width of the images in pixels; a multiple of `patchSize`. */
  readonly imageSize?: number;
  /** Height and width of a patch in pixels. */
  readonly patchSize?: number;
  /** Colour channels of the images. */
  readonly channels?: number;
}
