import { mustBe, unknownOption } from "../errors.js";
import { WidgetModel } from "./widgetModel.js";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What {@link select} takes. */
export interface SelectOptions<Choice extends string = string> {
  /** What there is to choose from, in order. */
  options: readonly Choice[];
  /** Shown beside it. */
  label?: string;
  /** Choice at the start. @default the first */
  value?: Choice;
  /** Called with each new choice of the user. */
  onChange?: (value: Choice) => void;
}

/** One of several names, which the reader of a notebook can change. Shows itself as the last expression of a cell. */
export class Select<Choice extends string = string> {
  /** Shown beside it. */
  readonly label: string;
  /** What there is to choose from. */
  readonly options: readonly Choice[];
  #value: Choice;
  readonly #model: WidgetModel;

  constructor({ options, label = "", value = options[0], onChange }: SelectOptions<Choice>) {
    if (options.length === 0) {
      throw mustBe({
        subject: "select",
        must: "must have something to choose from",
        got: "no options",
        remedy: 'Give some, for example options: ["kat", "vit"].',
      });
    }
    this.label = label;
    this.options = [...options];
    this.#value = value;
    this.#model = new WidgetModel(
      "Dropdown",
      "DescriptionStyle",
      { description: label, _options_labels: this.options, index: this.#indexOf(value) },
      {
        onUpdate: ({ index }) => {
          const chosen = this.options.at(index as number);
          if (typeof index !== "number" || chosen === undefined || chosen === this.#value) return;
          this.#value = chosen;
          onChange?.(chosen);
        },
      },
    );
  }

  /** What is chosen. Setting it changes what is shown and calls no listener. */
  get value(): Choice {
    return this.#value;
  }

  /** Moves it, in the notebook too. */
  set value(value: Choice) {
    const index = this.#indexOf(value);
    this.#value = value;
    this.#model.set({ index });
  }

  /** The list, or where there are no widgets its value and what to do. */
  [jupyterDisplay](): Record<string, unknown> {
    return this.#model.bundle(
      `${this.label || "select"}: ${this.#value} (of ${this.options.join(", ")})\n` +
        "Lists need ipywidgets beside JupyterLab (pip install ipywidgets); without it, set .value in a cell.",
    );
  }

  #indexOf(value: Choice): number {
    const index = this.options.indexOf(value);
    if (index < 0) throw unknownOption("select", value, this.options);
    return index;
  }
}

/**
 * A list to choose one name from.
 *
 * Without ipywidgets in the front end it is text, and its value can be set by code.
 *
 * @throws KatlabError when there is nothing to choose from, or `value` is not among the options
 *
 * @example
 * const model = select({ label: "model", options: ["kat", "vit"], onChange: (name) => show(name) });
 * model;
 */
export function select<Choice extends string>(options: SelectOptions<Choice>): Select<Choice> {
  return new Select(options);
}
