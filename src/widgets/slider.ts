import { mustBe } from "../errors.js";
import { WidgetModel } from "./widgetModel.js";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What {@link slider} takes. */
export interface SliderOptions {
  /** Shown beside it. */
  label?: string;
  /** Smallest value. @default 0 */
  min?: number;
  /** Largest value. @default 100 */
  max?: number;
  /** Distance of neighbouring values, above 0. @default 1 */
  step?: number;
  /** Value at the start, from `min` to `max`. @default min */
  value?: number;
  /** Called with each new value that the user chooses. */
  onChange?: (value: number) => void;
}

/** A number that the reader of a notebook can change. Shows itself as the last expression of a cell. */
export class Slider {
  /** Shown beside it. */
  readonly label: string;
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** Distance of neighbouring values. */
  readonly step: number;
  #value: number;
  readonly #model: WidgetModel;

  constructor({ label = "", min = 0, max = 100, step = 1, value = min, onChange }: SliderOptions = {}) {
    this.label = label;
    this.min = min;
    this.max = max;
    this.step = step;
    if (!(min <= max && step > 0)) {
      throw mustBe({
        subject: "slider",
        must: "min must not be above max, and step must be above 0",
        got: `min ${min}, max ${max}, step ${step}`,
        remedy: "Choose for example min: 0, max: 1, step: 0.1.",
      });
    }
    this.#value = this.#checked(value);
    const isWhole = [min, max, step, value].every(Number.isInteger);
    this.#model = new WidgetModel(
      isWhole ? "IntSlider" : "FloatSlider",
      "SliderStyle",
      { description: label, min, max, step, value, readout_format: isWhole ? "d" : ".3~g" },
      {
        onUpdate: ({ value: chosen }) => {
          if (typeof chosen !== "number" || chosen === this.#value) return;
          this.#value = chosen;
          onChange?.(chosen);
        },
      },
    );
  }

  /** The value that is chosen. Setting it moves the slider and calls no listener. */
  get value(): number {
    return this.#value;
  }

  /** Moves it, in the notebook too. */
  set value(value: number) {
    this.#value = this.#checked(value);
    this.#model.set({ value });
  }

  /** The slider, or where there are no widgets its value and what to do. */
  [jupyterDisplay](): Record<string, unknown> {
    const range = `${this.min} to ${this.max} by ${this.step}`;
    return this.#model.bundle(
      `${this.label || "slider"}: ${this.#value} (${range})\n` +
        "Sliders need ipywidgets beside JupyterLab (pip install ipywidgets); without it, set .value in a cell.",
    );
  }

  #checked(value: number): number {
    if (value >= this.min && value <= this.max) return value;
    throw mustBe({
      subject: "slider",
      must: `value must be from ${this.min} to ${this.max}`,
      got: String(value),
      remedy: "Choose another value, or other bounds.",
    });
  }
}

/**
 * A slider: a number that the reader of a notebook can change.
 *
 * Without ipywidgets in the front end it is text, and its value can be set by code.
 *
 * @throws KatlabError when the bounds or the value do not fit each other
 *
 * @example
 * const order = slider({ label: "order", min: 0, max: 5, onChange: (value) => draw(value) });
 * order;
 */
export function slider(options: SliderOptions = {}): Slider {
  return new Slider(options);
}
