import * as tf from "@tensorflow/tfjs-core";
import type * as tfjsCpu from "@tensorflow/tfjs-backend-cpu";
import type * as tfjsWasm from "@tensorflow/tfjs-backend-wasm";

/** What wasm has no tensors for. */
const complex: readonly string[] = [tf.Complex, tf.Real, tf.Imag, tf.ComplexAbs, tf.FFT, tf.IFFT];

/**
 * Corrects the tfjs kernels of tfjs's wasm backend that give wrong numbers, and adds those that it lacks: the gradient of
 * a convolution by its filter of its own operators, the rest as tfjs's cpu backend computes them. Complex numbers stay
 * out. May be called again.
 */
export async function completeWasmKernels(): Promise<void> {
  const cpu = await import("@tensorflow/tfjs-backend-cpu");
  if (tf.getKernel(tf.Conv2DBackpropFilter, wasm) as tf.KernelConfig | undefined) return;
  for (const [kernelName, correct] of Object.entries(corrections)) {
    const config = tf.getKernel(kernelName, wasm);
    config.kernelFunc = correct(config.kernelFunc);
  }
  tf.registerKernel({ kernelName: tf.Conv2DBackpropFilter, backendName: wasm, kernelFunc: filterGradient });
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend("cpu")) {
    const present = tf.getKernel(kernelName, wasm) as tf.KernelConfig | undefined;
    if (present !== undefined || complex.includes(kernelName)) continue;
    tf.registerKernel({ kernelName, backendName: wasm, kernelFunc: onCpu(cpu, kernelFunc) });
  }
}

const wasm = "wasm";

/** A tfjs kernel in the place of the one that is there, for the calls that one gets wrong. */
type Correction = (own: tf.KernelFunc) => tf.KernelFunc;

/** tfjs hands its tensors to its kernels, but declares less. Those that are optional may be missing. */
const given = (inputs: tf.NamedTensorInfoMap): Record<string, tf.Tensor> =>
  inputs as unknown as Record<string, tf.Tensor>;

/** The bias is added wrongly to all but the first row of transposed matrices, and of those after the first of a batch. */
const fusedMatMul: Correction = (own) => (call) => {
  const { a, b, bias, preluActivationWeights } = given(call.inputs);
  const attrs = call.attrs as unknown as tf._FusedMatMulAttrs;
  const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
  const batch = Math.max(...[a, b].map(({ shape }) => tf.util.sizeFromShape(shape.slice(0, -2))));
  const hasBias = (bias as tf.Tensor | undefined) !== undefined;
  const isRight = !transposeA && !transposeB && batch === 1 && (!hasBias || bias.rank === 1);
  if (isRight) return own(call);
  return tf.tidy(() => {
    const product = tf.matMul(a, b, transposeA, transposeB);
    const y = hasBias ? tf.add(product, bias) : product;
    switch (activation) {
      case "relu":
        return tf.relu(y);
      case "relu6":
        return tf.relu6(y);
      case "elu":
        return tf.elu(y);
      case "sigmoid":
        return tf.sigmoid(y);
      case "leakyrelu":
        return tf.leakyRelu(y, leakyreluAlpha);
      case "prelu":
        return tf.prelu(y, preluActivationWeights);
      default:
        return y;
    }
  });
};

/** Other values than 1 and 0 are rounded to integers, and read as bits of another dtype. */
const oneHot: Correction = (own) => (call) => {
  const { dtype, onValue, offValue } = call.attrs as unknown as tf.OneHotAttrs;
  const plain = { ...call.attrs, dtype: "int32", onValue: 1, offValue: 0 } as tf.NamedAttrMap;
  if (dtype === "int32") return own(call);
  return tf.tidy(() => {
    const info = own({ ...call, attrs: plain }) as tf.TensorInfo;
    const ones = tf.cast(tf.engine().makeTensorFromTensorInfo(info), "float32");
    return tf.cast(tf.add(tf.mul(ones, onValue - offValue), offValue), dtype);
  });
};

/** Reals between −1 and 1 are truncated to false. */
const cast: Correction = (own) => (call) => {
  const { x } = given(call.inputs);
  const { dtype } = call.attrs as unknown as tf.CastAttrs;
  return x.dtype === "float32" && dtype === "bool" ? tf.tidy(() => tf.notEqual(x, 0)) : own(call);
};

/** NaN becomes the lower bound. */
const clipByValue: Correction = (own) => (call) => {
  const { x } = given(call.inputs);
  const { clipValueMin, clipValueMax } = call.attrs as unknown as tf.ClipByValueAttrs;
  if (x.dtype !== "float32") return own(call);
  return tf.tidy(() => tf.minimum(tf.maximum(x, clipValueMin), clipValueMax));
};

/** Strides longer than the filter are padded otherwise than tfjs says, and read beyond the image. */
const convolution: Correction = (own) => (call) => {
  const { x, filter } = given(call.inputs);
  const attrs = call.attrs as unknown as tf.Conv2DAttrs;
  const [height, width] = filter.shape;
  const [down, across = down] = [attrs.strides].flat();
  if (attrs.pad !== "same" || (down <= height && across <= width)) return own(call);
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    x.shape as tf.Tensor4D["shape"],
    filter.shape as tf.Tensor4D["shape"],
    attrs.strides,
    attrs.dilations,
    "same",
  );
  return tf.tidy(() => {
    const inputs = { ...call.inputs, x: padded(x, padInfo) };
    return own({ ...call, inputs, attrs: { ...call.attrs, pad: "valid" } }) as tf.Tensor;
  });
};

function padded(x: tf.Tensor, { top, bottom, left, right }: tf.backend_util.PadInfo): tf.Tensor {
  return tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
}

const corrections: Readonly<Record<string, Correction>> = {
  [tf.Conv2D]: convolution,
  [tf.FusedConv2D]: convolution,
  [tf.DepthwiseConv2dNative]: convolution,
  [tf.FusedDepthwiseConv2D]: convolution,
  [tf._FusedMatMul]: fusedMatMul,
  [tf.OneHot]: oneHot,
  [tf.Cast]: cast,
  [tf.ClipByValue]: clipByValue,
};

/** dW[i, j] = Σ x[·, y + i, x + j]ᵀ · dy[·, y, x]: a matrix product for each place of the filter. */
const filterGradient: tf.KernelFunc = (call) => {
  const { x, dy } = given(call.inputs);
  const attrs = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const { strides, pad, dimRoundingMode, filterShape } = attrs;
  const layout = tf.backend_util.convertConv2DDataFormat(attrs.dataFormat);
  const { padInfo, strideHeight, strideWidth, outHeight, outWidth } = tf.backend_util.computeConv2DInfo(
    x.shape as tf.Tensor4D["shape"],
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    layout,
  );
  const [height, width, inputs, outputs] = filterShape;
  return tf.tidy(() => {
    const image = padded(x, padInfo);
    const columns = tf.reshape(dy, [-1, outputs]);
    const places: tf.Tensor[] = [];
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const end = [i + (outHeight - 1) * strideHeight + 1, j + (outWidth - 1) * strideWidth + 1];
        const seen =
          strideHeight === 1 && strideWidth === 1
            ? tf.slice(image, [0, i, j, 0], [-1, outHeight, outWidth, -1])
            : tf.stridedSlice(
                image,
                [0, i, j, 0],
                [x.shape[0], ...end, inputs],
                [1, strideHeight, strideWidth, 1],
              );
        places.push(tf.matMul(tf.transpose(tf.reshape(seen, [-1, inputs])), columns));
      }
    }
    return tf.reshape(tf.stack(places), filterShape);
  });
};

/** Copied to tfjs's cpu backend, computed there, and copied back. */
function onCpu({ MathBackendCPU }: typeof tfjsCpu, kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const wasm = backend as unknown as tfjsWasm.BackendWasm;
    const cpu = new MathBackendCPU();
    cpu["firstUse"] = false; // it would print an advertisement
    const copy = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo =>
      cpu.makeTensorInfo(shape, dtype, wasm.readSync(dataId));
    const copied = Object.entries(inputs).map(([name, x]) => [name, x === undefined ? x : copy(x)]);
    const named = Object.fromEntries(copied) as tf.NamedTensorInfoMap;
    const results = kernelFunc({
      inputs: Array.isArray(inputs) ? (Object.values(named) as unknown as tf.NamedTensorInfoMap) : named,
      attrs: attrs ?? {},
      backend: cpu,
    });
    const back = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({
      dataId: wasm.write(cpu.readSync(dataId), shape, dtype),
      shape,
      dtype,
    });
    return Array.isArray(results) ? results.map(back) : back(results);
  };
}
