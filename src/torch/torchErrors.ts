import { type KatlabError, outOfMemory, unavailable } from "../errors.js";
import { byteText } from "./byteText.js";
import { mainMemory } from "./mainMemory.js";

/** What a device's allocator holds, in bytes. */
interface Held {
  readonly allocated: number;
  readonly reserved: number | null;
  readonly total: number | null;
}

/**
 * Says more about an error of torch where katlab knows what to do about it: no memory, or no deterministic form of an
 * operator. The error itself, with PyTorch's text, is then the `cause`; others come back as they are.
 *
 * @param memory what a device holds now
 */
export function explainTorchError(error: Error, memory: (device: string) => Held): Error {
  return noMemory(error, memory) ?? notDeterministic(error) ?? error;
}

/** How there is said to be no memory: for tensors on a GPU and on the CPU, for CUDA's libraries, for values to be read. */
const noMemoryOnGpu = /out of memory\. Tried to allocate ([\d.]+ \w+)\. GPU (\d+) /;
const noMemoryOnCpu = /can't allocate memory: you tried to allocate (\d+) bytes/;
const noMemoryForCuda = /CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED/;
const noMemoryInJavaScript = /no memory for (\d+) bytes in JavaScript/;

function noMemory(error: Error, memory: (device: string) => Held): KatlabError | undefined {
  const gpu = noMemoryOnGpu.exec(error.message);
  if (gpu !== null) return exhausted(error, `${gpu[1]} more`, `cuda:${gpu[2]}`, memory);
  const cpu = noMemoryOnCpu.exec(error.message);
  if (cpu !== null) return exhausted(error, `${byteText(Number(cpu[1]))} more`, "cpu", memory);
  if (noMemoryForCuda.test(error.message))
    return exhausted(error, "memory for CUDA's libraries", "cuda", memory);
  const javaScript = noMemoryInJavaScript.exec(error.message);
  if (javaScript === null) return undefined;
  return outOfMemory(
    {
      subject: "torch",
      must: "values that are read must fit into an array of JavaScript's",
      got: byteText(Number(javaScript[1])),
      remedy: "Reduce them on the engine first, or read them by parts with tf.slice.",
    },
    error,
  );
}

function exhausted(
  error: Error,
  asked: string,
  device: string,
  memory: (device: string) => Held,
): KatlabError {
  const { allocated, reserved, total } = memory(device);
  const cached = reserved === null ? [] : [`${byteText(reserved - allocated)} kept for later ones`];
  const onGpu = device !== "cpu";
  return outOfMemory(
    {
      subject: "torch",
      must: `${asked} must be free on ${onGpu ? device : "the CPU"}`,
      got: [`${byteText(allocated)} in tensors`, ...cached, `of ${byteText(total ?? mainMemory())}`].join(
        ", ",
      ),
      remedy:
        "Use a smaller batch; free tensors by tf.tidy or dispose (kl.findLeaks names those left over)" +
        (onGpu ? '; call emptyCache() of what useEngine returns; or use precision "bfloat16".' : "."),
    },
    error,
  );
}

function notDeterministic(error: Error): KatlabError | undefined {
  const operator = /^(\S+) does not have a deterministic implementation/.exec(error.message)?.[1];
  const remedy = "Use other operators, or call useEngine without deterministic.";
  if (operator !== undefined) {
    const must = "must have a deterministic implementation while the engine is deterministic";
    return unavailable({ subject: `torch: ${operator}`, must, got: "none on this device", remedy }, error);
  }
  if (!error.message.includes("CUBLAS_WORKSPACE_CONFIG")) return undefined;
  return unavailable(
    {
      subject: "torch: matrix products",
      must: "cuBLAS must have started in deterministic mode while the engine is deterministic",
      got: "an engine that was made deterministic after CUDA had started",
      remedy:
        "Make useEngine({ deterministic: true }) the first call of the program, or set CUBLAS_WORKSPACE_CONFIG=:4096:8.",
    },
    error,
  );
}
