import * as tf from "@tensorflow/tfjs-core";

/**
 * Turns the hue of RGB images, channel by channel and of any range, in HSV, as torchvision's adjust_hue:
 *
 *     v = max(r, g, b)    c = v − min(r, g, b)
 *     h = (g − b)/c where r is largest, 2 + (b − r)/c where g is, 4 + (r − g)/c otherwise; 0 where c = 0
 *     channel = v − c · clip(min(k, 4 − k), 0, 1)    k = (n + h + 6 · shift) mod 6    n = 5, 3, 1 for r, g, b
 *
 * @param images `[images, 3, height, width]`
 * @param shifts `[images, 1, 1, 1]` in turns, −0.5…0.5
 */
export function adjustHue(images: tf.Tensor4D, shifts: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const [r, g, b] = tf.split(images, 3, 1);
    const value = tf.max(images, 1, true);
    const chroma = tf.sub(value, tf.min(images, 1, true));
    const divisor = tf.where(tf.equal(chroma, 0), tf.onesLike(chroma), chroma);
    const fromRed = tf.div(tf.sub(g, b), divisor);
    const fromGreen = tf.add(tf.div(tf.sub(b, r), divisor), 2);
    const fromBlue = tf.add(tf.div(tf.sub(r, g), divisor), 4);
    const hue = tf.where(tf.equal(value, r), fromRed, tf.where(tf.equal(value, g), fromGreen, fromBlue));
    const turned = tf.add(tf.add(hue, tf.mul(shifts, 6)), tf.tensor3d([5, 3, 1], [3, 1, 1]));
    const k = tf.mod(turned, 6);
    const share = tf.clipByValue(tf.minimum(k, tf.sub(4, k)), 0, 1);
    return tf.sub(value, tf.mul(chroma, share));
  });
}
