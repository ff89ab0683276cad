import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";

/** Attributes of the tfjs kernel of `src/data/normalisedImages.ts`. */
export interface NormalisedImagesAttrs {
  /** `[batch, height, width, channels]`, row-major. */
  readonly pixels: Uint8Array;
  readonly shape: readonly number[];
  /** `[channels, 256]` */
  readonly table: Float64Array;
}

const normalisedImages = defineKernel<object, NormalisedImagesAttrs>(
  "NormalisedImages",
  ({ attrs: { pixels, shape, table }, torch }) => {
    const [, , width] = shape;
    const values = torch.constant(table, [table.length]);
    // Place in the table: 256 · channel + pixel. A whole row is added at once: torch is slow where the last axis is short.
    const starts = torch.call(
      "arange.start_step",
      0,
      table.length,
      256,
      ScalarType.int32,
      null,
      torch.device,
    );
    const row = torch.call("repeat", starts, [width]);
    const bytes = torch.constant(pixels, [pixels.length / (width * shape[3]), width * shape[3]]);
    const places = torch.call("add_.Tensor", torch.call("to.dtype", bytes, ScalarType.int32), row);
    const chosen = torch.call("index_select", values, 0, torch.call("reshape", places, [-1]));
    return torch.result("reshape", chosen, shape);
  },
);

/** Images, from bytes that are copied to the device. */
export const normalisedImagesKernels: readonly KernelDefinition[] = [normalisedImages];
