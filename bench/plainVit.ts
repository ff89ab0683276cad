import { type Random, tf } from "katlab";

/** Sizes of a {@link plainVit}. */
export interface PlainVit {
  image: number;
  patch: number;
  dim: number;
  depth: number;
  heads: number;
  classes: number;
}

/** A ViT as a user of tfjs writes it: composed of tfjs's own operators, without anything of katlab's. */
export function plainVit({ image, patch, dim, depth, heads, classes }: PlainVit, random: Random) {
  const side = image / patch;
  const tokens = side * side;
  const variables: tf.Variable[] = [];
  const parameter = (shape: number[], scale: number, start = 0): tf.Variable => {
    const values = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => start + scale * random.normal(),
    );
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
    variables.push(variable);
    return variable;
  };
  const linear = (from: number, to: number) => {
    const [weight, bias] = [parameter([from, to], 0.02), parameter([to], 0)];
    return (x: tf.Tensor): tf.Tensor => {
      const rows = tf.matMul(tf.reshape(x, [-1, from]), weight);
      return tf.reshape(tf.add(rows, bias), [...x.shape.slice(0, -1), to]);
    };
  };
  const layerNorm = () => {
    const [scale, offset] = [parameter([dim], 0, 1), parameter([dim], 0)];
    return (x: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(x, -1, true);
      const rows = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-6)));
      return tf.add(tf.mul(rows, scale), offset);
    };
  };
  const gelu = (x: tf.Tensor): tf.Tensor =>
    tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const attention = () => {
    const [qkv, project] = [linear(dim, 3 * dim), linear(dim, dim)];
    return (x: tf.Tensor): tf.Tensor => {
      const split = tf.transpose(tf.reshape(qkv(x), [-1, tokens, 3, heads, dim / heads]), [2, 0, 3, 1, 4]);
      const [query, key, value] = tf.unstack(split);
      const scores = tf.mul(tf.matMul(query, key, false, true), (dim / heads) ** -0.5);
      const mixed = tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
      return project(tf.reshape(mixed, [-1, tokens, dim]));
    };
  };
  const block = () => {
    const [first, attend, second, widen, narrow] = [
      layerNorm(),
      attention(),
      layerNorm(),
      linear(dim, 4 * dim),
      linear(4 * dim, dim),
    ];
    return (x: tf.Tensor): tf.Tensor => {
      const y = tf.add(x, attend(first(x)));
      return tf.add(y, narrow(gelu(widen(second(y)))));
    };
  };
  const embed = linear(patch * patch * 3, dim);
  const position = parameter([tokens, dim], 0.02);
  const blocks = Array.from({ length: depth }, block);
  const [norm, head] = [layerNorm(), linear(dim, classes)];
  const loss = (images: tf.Tensor4D, labels: tf.Tensor1D): tf.Scalar => {
    const cut = tf.transpose(tf.reshape(images, [-1, side, patch, side, 3 * patch]), [0, 1, 3, 2, 4]);
    let x = tf.add(embed(tf.reshape(cut, [-1, tokens, 3 * patch * patch])), position);
    for (const run of blocks) x = run(x);
    const logits = head(tf.mean(norm(x), 1));
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classes), logits);
  };
  return { variables, loss, inputShape: [image, image, 3], classes };
}
