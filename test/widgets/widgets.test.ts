import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { button } from "../../src/widgets/button.js";
import { select } from "../../src/widgets/select.js";
import { slider } from "../../src/widgets/slider.js";

type JsonObject = Record<string, unknown>;
interface OpenComm {
  id: string;
  target: string;
  state: JsonObject;
  metadata: JsonObject;
  sent: JsonObject[];
  receive(data: JsonObject): void;
}

const hostSymbol = Symbol.for("jupyter.kernel");
const viewType = "application/vnd.jupyter.widget-view+json";
const comms: OpenComm[] = [];

/** A notebook kernel that remembers what is said on its channels. */
const host = {
  comm(
    target: string,
    data: { state: JsonObject },
    options: { id: string; metadata: JsonObject; onMessage: (event: { data: JsonObject }) => void },
  ): { send(data: JsonObject): void } {
    const sent: JsonObject[] = [];
    const { id, metadata, onMessage } = options;
    const state = structuredClone(data.state);
    comms.push({ id, target, state, metadata, sent, receive: (message) => onMessage({ data: message }) });
    return { send: (message) => void sent.push(structuredClone(message)) };
  },
};

function shown(widget: object): JsonObject {
  const display = Reflect.get(widget, Symbol.for("Jupyter.display")) as () => JsonObject;
  return Reflect.apply(display, widget, []);
}

/** The channel of the widget itself; its layout and its style have others. */
function commOf(widget: object): OpenComm {
  const { model_id: id } = shown(widget)[viewType] as { model_id: string };
  const comm = comms.find((one) => one.id === id);
  if (comm === undefined) throw new Error(`no comm ${id}`);
  return comm;
}

describe("in a notebook with widgets", () => {
  beforeEach(() => {
    Object.defineProperty(globalThis, hostSymbol, { value: host, configurable: true });
    comms.length = 0;
  });
  afterEach(() => void Reflect.deleteProperty(globalThis, hostSymbol));

  test("a slider is a model of Jupyter's, with its layout and style", () => {
    const widget = slider({ label: "order", max: 5, value: 2 });
    const comm = commOf(widget);
    expect(comms).toHaveLength(3);
    for (const { target, metadata } of comms) {
      expect([target, metadata]).toEqual(["jupyter.widget", { version: "2.1.0" }]);
    }
    expect(comm.state).toMatchObject({
      _model_module: "@jupyter-widgets/controls",
      _model_name: "IntSliderModel",
      _view_name: "IntSliderView",
      description: "order",
      min: 0,
      max: 5,
      step: 1,
      value: 2,
    });
    const parts = Object.fromEntries(comms.map(({ id, state }) => [`IPY_MODEL_${id}`, state["_model_name"]]));
    expect(parts[String(comm.state["layout"])]).toBe("LayoutModel");
    expect(parts[String(comm.state["style"])]).toBe("SliderStyleModel");
    expect(commOf(slider({ max: 1, step: 0.1 })).state["_model_name"]).toBe("FloatSliderModel");
  });

  test("what the user chooses becomes the value, once, and is told", () => {
    const told: unknown[] = [];
    const order = slider({ max: 5, onChange: (value) => told.push(value) });
    const move = (value: number): void => commOf(order).receive({ method: "update", state: { value } });
    move(3);
    move(3);
    expect([order.value, told]).toEqual([3, [3]]);
    const model = select({ options: ["kat", "vit"], onChange: (value) => told.push(value) });
    commOf(model).receive({ method: "update", state: { index: 1 } });
    commOf(model).receive({ method: "update", state: { index: null } });
    expect([model.value, told]).toEqual(["vit", [3, "vit"]]);
    const again = button({ label: "again", onPress: () => told.push("pressed") });
    commOf(again).receive({ method: "custom", content: { event: "click" } });
    commOf(again).receive({ method: "custom", content: { event: "hover" } });
    expect(told).toEqual([3, "vit", "pressed"]);
  });

  test("what code sets is shown, and told to nobody", () => {
    const told: unknown[] = [];
    const order = slider({ max: 5, onChange: (value) => told.push(value) });
    order.value = 4;
    expect(commOf(order).sent).toEqual([{ method: "update", state: { value: 4 }, buffer_paths: [] }]);
    const model = select({ options: ["kat", "vit"], onChange: (value) => told.push(value) });
    model.value = "vit";
    expect(commOf(model).sent).toEqual([{ method: "update", state: { index: 1 }, buffer_paths: [] }]);
    expect(told).toEqual([]);
  });

  test("a front end that comes later is told the state", () => {
    const order = slider({ max: 5 });
    order.value = 4;
    for (const comm of comms) {
      comm.receive({ method: "request_state" });
      expect(comm.sent.at(-1)).toMatchObject({
        method: "update",
        state: { _model_name: comm.state["_model_name"] },
      });
    }
    expect(commOf(order).sent.at(-1)).toMatchObject({ state: { value: 4 } });
  });
});

describe("without a notebook", () => {
  test.each([
    [
      slider({ label: "order", max: 5 }),
      "order: 0 (0 to 5 by 1)\nSliders need ipywidgets",
      "set .value in a cell.",
    ],
    [
      select({ options: ["kat", "vit"] }),
      "select: kat (of kat, vit)\nLists need ipywidgets",
      "set .value in a cell.",
    ],
    [
      button({ label: "go", onPress: () => undefined }),
      "go (button)\nButtons need ipywidgets",
      "call .press() in a cell.",
    ],
  ])("case %#: is text that says what to do", (widget, start, end) => {
    expect(Object.keys(shown(widget))).toEqual(["text/plain"]);
    const text = String(shown(widget)["text/plain"]);
    expect([text.startsWith(start), text.endsWith(end)]).toEqual([true, true]);
  });

  test("values can be set, and buttons pressed", () => {
    const order = slider({ max: 5 });
    order.value = 5;
    let presses = 0;
    button({ label: "go", onPress: () => presses++ }).press();
    expect([order.value, presses]).toEqual([5, 1]);
  });
});

describe("refused", () => {
  test.each([
    [() => slider({ min: 2, max: 1 }), /^slider: min must not be above max/],
    [() => slider({ step: 0 }), /^slider: min must not be above max, and step must be above 0/],
    [() => slider({ max: 5, value: 6 }), /^slider: value must be from 0 to 5; got 6/],
    [() => slider({ max: NaN }), /^slider: min must not be above max/],
    [() => select({ options: [] }), /^select: must have something to choose from/],
    [() => select<string>({ options: ["kat"], value: "kit" }), /Did you mean "kat"\?/],
    [() => (slider({ max: 5 }).value = 7), /value must be from 0 to 5; got 7/],
    [() => (select<string>({ options: ["kat"] }).value = "vit"), /must be one of kat/],
  ])("case %#", (make, message) => {
    expect(make).toThrow(message);
  });
});
