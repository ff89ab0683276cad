/** A spec of tfjs-core that the torch backend does not satisfy, and why that is right. */
export interface Exclusion {
  /** Full name, without the backend's. */
  readonly spec: string;
  /**
   * `mistaken`: what it expects contradicts tfjs's documentation or other specs;
   * `internals`: it looks into another backend; `wording`: it expects the text of another backend's error.
   * There is no kind for a wrong value: that is a fault of the backend.
   */
  readonly kind: "mistaken" | "internals" | "wording";
  readonly reason: string;
}

/** Every one of them. The run fails where one of these passes. */
export const exclusions: readonly Exclusion[] = [
  {
    spec: "avgPool gradient x=[3,3,1] f=[3,3] s=1 p=explicit",
    kind: "mistaken",
    reason:
      "avgPool averages the elements of a window that are no padding, as its forward specs and TensorFlow do; the " +
      "expected gradient divides by the window's size and so is not its derivative. " +
      "test/torch/kernels/pooling.test.ts holds ours against differences of the forward pass",
  },
];
