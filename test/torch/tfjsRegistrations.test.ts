// In this order: whoever imports the registrations first must not make the engine out of their copy of tfjs-core.
import "../../src/torch/tfjsRegistrations.js";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect, test } from "vitest";

test("tensors have tfjs's own methods, the chained ones and gradients", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor1d([1, 2, 3]);
  expect([...x.clone().dataSync()]).toEqual([1, 2, 3]);
  expect([...x.square().dataSync()]).toEqual([1, 4, 9]);
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)))(x);
  expect([...gradient.dataSync()]).toEqual([2, 4, 6]);
});
