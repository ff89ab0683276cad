import { WidgetModel } from "./widgetModel.js";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What {@link button} takes. */
export interface ButtonOptions {
  /** What stands on it. */
  label: string;
  /** Called whenever it is pressed. */
  onPress: () => void;
}

/** Something to press in a notebook. Shows itself as the last expression of a cell. */
export class Button {
  /** What stands on it. */
  readonly label: string;
  readonly #onPress: () => void;
  readonly #model: WidgetModel;

  constructor({ label, onPress }: ButtonOptions) {
    this.label = label;
    this.#onPress = onPress;
    this.#model = new WidgetModel(
      "Button",
      "ButtonStyle",
      { description: label },
      {
        onCustom: ({ event }) => {
          if (event === "click") this.press();
        },
      },
    );
  }

  /** Does what pressing it does. */
  press(): void {
    this.#onPress();
  }

  /** The button, or where there are no widgets what to do. */
  [jupyterDisplay](): Record<string, unknown> {
    return this.#model.bundle(
      `${this.label} (button)\n` +
        "Buttons need ipywidgets beside JupyterLab (pip install ipywidgets); without it, call .press() in a cell.",
    );
  }
}

/**
 * A button for the reader of a notebook.
 *
 * Without ipywidgets in the front end it is text, and `press()` does the same.
 *
 * @example
 * button({ label: "draw again", onPress: () => draw() });
 */
export function button(options: ButtonOptions): Button {
  return new Button(options);
}
