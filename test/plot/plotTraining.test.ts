import { describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { plotTraining } from "../../src/plot/plotTraining.js";
import type { TrainingHistory } from "../../src/plot/trainingData.js";
import { at, rowsAt } from "./chartData.js";
import { sampleHistory } from "./samples.js";

const run = sampleHistory({ steps: 1000, epochs: 4 });

test("says how the run stands", () => {
  const { text } = plotTraining(run, { title: "kat_test" });
  const [headline, , ...rows] = text.split("\n");
  expect(headline).toMatch(/^kat_test: step 1,000 · training loss 0\.\d{3} · test accuracy 85\.0 % · 50 s$/);
  expect(rows).toHaveLength(4);
  expect(rows[3]).toMatch(/4\s+0\.750\s+0\.700\s+85\.0 %\s+12\.5$/);
});

test("draws every step of a short run", () => {
  const { spec } = plotTraining(sampleHistory({ steps: 50, epochs: 1 }));
  const rows = rowsAt(spec, "hconcat.0.layer.0");
  expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(rows[0].loss).toBeCloseTo(2.3, 3);
  expect(at(spec, "hconcat.0.layer.0.encoding.y.title")).toBe("loss (nats per image)");
  expect(at(spec, "hconcat.1.layer.0.encoding.y.title")).toBe("test accuracy (%)");
});

test("keeps the spikes of a long run", () => {
  const history = sampleHistory({ steps: 20_000, epochs: 0 });
  history.steps[7777].loss = 99;
  const rows = rowsAt(plotTraining(history).spec, "hconcat.0.layer.0");
  expect(rows.length).toBeLessThanOrEqual(301);
  expect(rows.find(({ step }) => step === 7778)?.loss).toBe(99);
  expect(rows.at(-1)?.step).toBe(20_000);
});

test("the running mean starts at the first loss and follows the last ones", () => {
  const steps = Array.from({ length: 400 }, (_, i) => ({
    step: i,
    epoch: 1,
    loss: i < 200 ? 4 : 1,
    learningRate: 1,
  }));
  const rows = rowsAt(plotTraining({ steps, epochs: [] }).spec, "hconcat.0.layer.1");
  expect(rows[0].mean).toBe(4);
  expect(rows.find(({ step }) => step === 198)?.mean).toBeCloseTo(4, 6);
  expect(rows.at(-1)?.mean).toBeCloseTo(1, 3);
});

test("puts the test loss after the last step of its epoch", () => {
  const rows = rowsAt(plotTraining(run).spec, "hconcat.0.layer.2");
  expect(rows).toEqual([
    { step: 250, test: 1 },
    { step: 500, test: 0.8 },
    { step: 750, test: 0.7333 },
    { step: 1000, test: 0.7 },
  ]);
});

test("keeps its axes while a run goes on", () => {
  const started = sampleHistory({ steps: 3, epochs: 0 });
  const { spec } = plotTraining(started, { totalSteps: 500, totalEpochs: 5 });
  expect(at(spec, "hconcat.0.layer.0.encoding.x.scale.domain")).toEqual([0, 500]);
  expect(at(spec, "hconcat.1.layer.0.encoding.x.axis.values")).toEqual([1, 2, 3, 4, 5]);
  expect(at(spec, "hconcat.1.layer")).toHaveLength(1);
});

test("draws the learning rate on request", () => {
  const panels = (learningRate: boolean) => plotTraining(run, { learningRate }).spec.hconcat as unknown[];
  expect(panels(false)).toHaveLength(2);
  expect(panels(true)).toHaveLength(3);
  const { spec } = plotTraining(run, { learningRate: true });
  expect(rowsAt(spec, "hconcat.2")[0]).toEqual({ step: 1, rate: 0.002 });
});

test("leaves out losses that are not finite, and says so", () => {
  const history = sampleHistory({ steps: 10, epochs: 1 });
  history.steps[4].loss = NaN;
  history.steps[5].loss = Infinity;
  const { spec, text } = plotTraining({
    ...history,
    epochs: [{ epoch: 1, trainLoss: NaN, testLoss: NaN, testAccuracy: 0.1, seconds: 1 }],
  });
  expect(text).toContain("2 steps with a loss that is not finite");
  expect(text.split("\n").at(-1)).toMatch(/not finite\s+not finite\s+10\.0 %/);
  expect(rowsAt(spec, "hconcat.0.layer.0").map(({ loss }) => loss === null)).toEqual([
    ...Array<boolean>(4).fill(false),
    true,
    true,
    ...Array<boolean>(4).fill(false),
  ]);
});

describe("refuses", () => {
  const faulty = (change: (history: TrainingHistory) => void): TrainingHistory => {
    const history = sampleHistory({ steps: 4, epochs: 2 });
    change(history);
    return history;
  };
  test.each<[string, TrainingHistory, RegExp]>([
    ["a run without a step", { steps: [], epochs: [] }, /at least one step; got none/],
    [
      "steps that fall",
      faulty((run) => (run.steps[2].step = 1)),
      /step numbers must be finite and rise; got 1 at index 2/,
    ],
    ["epochs that repeat", faulty((run) => (run.epochs[1].epoch = 1)), /epoch numbers .* got 1 at index 1/],
    [
      "an accuracy that is no number",
      faulty((run) => (run.epochs[0].testAccuracy = NaN)),
      /testAccuracy .* got NaN at index 0/,
    ],
  ])("%s", (_, history, message) => {
    expect(() => plotTraining(history)).toThrow(KatlabError);
    expect(() => plotTraining(history)).toThrow(message);
  });
});
