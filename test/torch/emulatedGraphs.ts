import { type Addon, type Argument, type Handle, loadAddon, TorchBackend } from "../../src/torch/backend.js";

/** Places of tensors, or lists of them, among an operator's arguments: of the few that the tests record. */
const tensorPlaces: Record<string, readonly number[]> = {
  "aten::add": [0, 1],
  "aten::mul": [0, 1],
  "aten::sum": [0],
  "aten::clone": [0],
  "aten::copy_": [0, 1],
  "aten::to": [0],
  "aten::full": [],
  "aten::_foreach_lerp_": [0, 1],
};

interface RecordedCall {
  readonly operator: number;
  readonly args: Argument[];
  readonly tensors: readonly Handle[];
  /** The output that later replays write again; none of an operator that works in place. */
  readonly output: Handle | undefined;
}

/**
 * A torch backend that takes the CPU for a CUDA device, whose graphs are lists of calls: replaying calls each operator anew
 * and copies its result into the tensor it gave when it was recorded. As with CUDA, nothing is written while recording.
 */
export function emulatedCudaBackend(): TorchBackend {
  const backend = new TorchBackend({ device: "cpu" });
  Object.defineProperties(backend, {
    addon: { value: emulatedAddon(loadAddon()) },
    device: { value: "cuda:0" },
  });
  return backend;
}

function emulatedAddon(addon: Addon): Addon {
  const graphs = new Map<number, RecordedCall[]>();
  let recording: RecordedCall[] | undefined;
  let next = 1;
  const onCpu = (args: readonly Argument[]): Argument[] =>
    args.map((value) => (value === "cuda:0" ? "cpu" : value));
  const free = (calls: readonly RecordedCall[]): void => {
    for (const { tensors, output } of calls) {
      for (const tensor of tensors) addon.free(tensor);
      if (output !== undefined) addon.free(output);
    }
  };
  const record = (operator: number, args: Argument[], output: Handle | undefined): void => {
    const name = addon.schema(operator).split(/[.(]/)[0];
    if (!(name in tensorPlaces)) throw new Error(`emulatedGraphs: ${name} is not among tensorPlaces`);
    const tensors: Handle[] = [];
    const own = args.map((value, place) => {
      if (!tensorPlaces[name].includes(place)) return value;
      const retain = (handle: Handle): Handle => {
        tensors.push(addon.retain(handle));
        return tensors[tensors.length - 1];
      };
      return Array.isArray(value) ? (value as Handle[]).map(retain) : retain(value as Handle);
    });
    recording?.push({
      operator,
      args: own,
      tensors,
      output: output === undefined ? undefined : addon.retain(output),
    });
  };
  const emulated: Partial<Addon> = {
    graphsMissing: () => null,
    captureBegin: () => {
      recording = [];
    },
    captureEnd: () => {
      graphs.set(next, recording ?? []);
      recording = undefined;
      return next++;
    },
    captureAbort: () => {
      free(recording ?? []);
      recording = undefined;
    },
    replayGraph: (graph) => {
      const copy = addon.op("aten::copy_");
      for (const { operator, args, output } of graphs.get(graph) ?? []) {
        if (output === undefined) addon.callVoid(operator, ...args);
        else {
          const result = addon.call(operator, ...args) as Handle;
          addon.callVoid(copy, output, result);
          addon.free(result);
        }
      }
    },
    freeGraph: (graph) => {
      free(graphs.get(graph) ?? []);
      graphs.delete(graph);
    },
    // A recorded call holds its tensors, which a graph does not; views are therefore not told apart.
    exclusive: () => true,
    memory: () => addon.memory("cpu"),
    emptyCache: () => undefined,
    call: (operator, ...args) => {
      const result = addon.call(operator, ...onCpu(args));
      if (recording !== undefined) record(operator, onCpu(args), result as Handle);
      return result;
    },
    callVoid: (operator, ...args) => {
      if (recording === undefined) addon.callVoid(operator, ...args);
      else record(operator, args, undefined);
    },
    from: (data, shape, type, _device, to) => addon.from(data, shape, type, "cpu", to),
  };
  return new Proxy(addon, {
    get: (_, name) => Reflect.get(name in emulated ? emulated : addon, name) as unknown,
  });
}
