/** Lets tensors show themselves as the last expression of a notebook cell; imported for its effect. */
import * as tf from "@tensorflow/tfjs-core";

/** Values shown of the last axis and of the one before it. */
const maxColumns = 8;
const maxRows = 6;
/** Digits shown of a number, and of one that is whole. */
const digits = 4;
const maxDigits = 7;

// Not enumerable, so that nothing which lists a tensor's members meets it.
Object.defineProperty(tf.Tensor.prototype, Symbol.for("Jupyter.display"), {
  async value(this: tf.Tensor): Promise<{ data: Record<string, string> }> {
    return { data: { "text/plain": await describeTensor(this) } };
  },
  configurable: true,
  writable: true,
});

/** Dtype, shape and the first values of a tensor, as text. Only the values shown are read from the device. */
async function describeTensor(tensor: tf.Tensor): Promise<string> {
  const { dtype, shape, size, rank } = tensor;
  const head = `${tensor instanceof tf.Variable ? "variable" : "tensor"} ${dtype} [${shape.join(", ")}]`;
  if (tensor.isDisposed) return `${head}, disposed`;
  if (size === 0) return `${head}, without values`;
  const shown = shape.map((length, axis) =>
    axis === rank - 1 ? Math.min(length, maxColumns) : axis === rank - 2 ? Math.min(length, maxRows) : 1,
  );
  const cells = await cornerOf(tensor, shown);
  const columns = shown.at(-1) ?? 1;
  const width = Math.max(...cells.map((cell) => cell.length));
  const rows = Array.from({ length: cells.length / columns }, (_, row) => {
    const line = cells.slice(row * columns, (row + 1) * columns).map((cell) => cell.padStart(width));
    return `  ${line.join("  ")}${columns < (shape.at(-1) ?? 1) ? "  …" : ""}`;
  });
  const more = rank >= 2 && shown[rank - 2] < shape[rank - 2] ? ["  …"] : [];
  const leading = rank > 2 ? `, at [${"0, ".repeat(rank - 2)}:, :]` : "";
  return [`${head}${leading}`, ...rows, ...more].join("\n");
}

/** The first values along each axis, written. */
async function cornerOf(tensor: tf.Tensor, lengths: number[]): Promise<string[]> {
  const first = async (of: tf.Tensor): Promise<(number | string)[]> => {
    const start = lengths.map(() => 0);
    const corner = of.rank === 0 ? tf.clone(of) : tf.slice(of, start, lengths);
    try {
      return [...(await corner.data<tf.DataType>())];
    } finally {
      corner.dispose();
    }
  };
  if (tensor.dtype !== "complex64") {
    return (await first(tensor)).map((value) => written(value, tensor.dtype));
  }
  const parts = [tf.real(tensor), tf.imag(tensor)];
  try {
    const [real, imaginary] = [await first(parts[0]), await first(parts[1])];
    return real.map((value, i) => `${written(value, "float32")} + ${written(imaginary[i], "float32")}i`);
  } finally {
    tf.dispose(parts);
  }
}

function written(value: number | string, dtype: tf.DataType): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (dtype === "bool") return value === 0 ? "false" : "true";
  const isShort = dtype === "int32" || (Number.isInteger(value) && Math.abs(value) < 10 ** maxDigits);
  return String(isShort ? value : Number(value.toPrecision(digits)));
}
