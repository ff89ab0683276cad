import { randomUUID } from "node:crypto";

type JsonObject = Record<string, unknown>;

/** The part of the notebook host that widgets need; see `src/jupyter` for the whole. */
interface WidgetHost {
  comm(
    target: string,
    data: JsonObject,
    options: { id?: string; metadata?: JsonObject; onMessage?: (event: { data: JsonObject }) => void },
  ): { send(data: JsonObject): void };
}

/** What a model hears from the front end. */
export interface WidgetEvents {
  /** The user has changed these fields of the state. */
  onUpdate?: (changed: JsonObject) => void;
  /** The user has done something that is no change of state. */
  onCustom?: (content: JsonObject) => void;
}

const target = "jupyter.widget";
const protocolVersion = "2.1.0";
const packages = { base: "@jupyter-widgets/base", controls: "@jupyter-widgets/controls" } as const;
const packageVersion = "2.0.0";
/** The MIME type by which a front end finds the model it is to draw. */
const viewType = "application/vnd.jupyter.widget-view+json";

/** A model of Jupyter's widgets: its state is kept here and in every front end that has widgets. */
export class WidgetModel {
  readonly id: string = randomUUID();
  readonly #state: JsonObject;
  readonly #comm: { send(data: JsonObject): void } | undefined;

  /**
   * @param name of the model, e.g. `IntSlider`
   * @param style name of the model of its style, e.g. `SliderStyle`
   */
  constructor(name: string, style: string, state: JsonObject, { onUpdate, onCustom }: WidgetEvents = {}) {
    const host = widgetHost();
    this.#state = {
      ...classOf("controls", name),
      ...state,
      layout: host && openPart(host, { ...classOf("base", "Layout") }),
      style:
        host &&
        openPart(host, { ...classOf("controls", style), ...viewOf("base", "Style"), _view_count: null }),
    };
    this.#comm = host?.comm(target, stateMessage(this.#state), {
      id: this.id,
      metadata: { version: protocolVersion },
      onMessage: ({ data }) => {
        if (data["method"] === "request_state") this.#send(this.#state);
        else if (data["method"] === "custom") onCustom?.(data["content"] as JsonObject);
        else if (data["method"] === "update") {
          const changed = data["state"] as JsonObject;
          Object.assign(this.#state, changed);
          onUpdate?.(changed);
        }
      },
    });
  }

  /** Changes fields of the state, here and in the front ends. */
  set(changed: JsonObject): void {
    Object.assign(this.#state, changed);
    this.#send(changed);
  }

  /**
   * How the widget is shown.
   *
   * @param text what is shown where there are no widgets
   */
  bundle(text: string): Record<string, unknown> {
    const view = { version_major: 2, version_minor: 0, model_id: this.id };
    return { ...(this.#comm === undefined ? {} : { [viewType]: view }), "text/plain": text };
  }

  #send(state: JsonObject): void {
    this.#comm?.send({ method: "update", state, buffer_paths: [] });
  }
}

/** A model that belongs to another one, which names it by the result. */
function openPart(host: WidgetHost, state: JsonObject): string {
  const id = randomUUID();
  const comm = host.comm(target, stateMessage(state), {
    id,
    metadata: { version: protocolVersion },
    onMessage: ({ data }) => {
      if (data["method"] === "request_state") comm.send({ method: "update", ...stateMessage(state) });
    },
  });
  return `IPY_MODEL_${id}`;
}

function stateMessage(state: JsonObject): JsonObject {
  return { state, buffer_paths: [] };
}

/** Where front ends find the classes of a model and of its view. */
function classOf(place: keyof typeof packages, name: string): JsonObject {
  return {
    _model_module: packages[place],
    _model_module_version: packageVersion,
    _model_name: `${name}Model`,
    ...viewOf(place, name),
  };
}

function viewOf(place: keyof typeof packages, name: string): JsonObject {
  return {
    _view_module: packages[place],
    _view_module_version: packageVersion,
    _view_name: `${name}View`,
  };
}

function widgetHost(): WidgetHost | undefined {
  const host: unknown = (globalThis as { [key: symbol]: unknown })[Symbol.for("jupyter.kernel")];
  return typeof host === "object" && host !== null && "comm" in host ? (host as WidgetHost) : undefined;
}
