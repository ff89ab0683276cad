// The notebook kernel beside stock tslab and, where it is given, Deno's kernel, in one run, taking turns: start, cells,
// import of katlab, completion, 100,000 printed lines, stop button, restart, memory.
//
//   node bench/kernel.mjs [--runs 5] [--deno <program>]     (npm install deno in a folder elsewhere brings one)
//   node bench/kernel.mjs --chart 15 [--collect]            a live chart at 5 Hz for 15 minutes: does memory grow? With
//                                                           --collect garbage goes every minute: what is kept?
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { KernelClient } from "../dist/jupyter/client.js";
import { kernelCommand } from "../dist/jupyter/kernelspec.js";

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    deno: { type: "string" },
    chart: { type: "string" },
    collect: { type: "boolean", default: false },
  },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const cwd = path.join(root, "notebooks");
const tslab = path.join(root, "node_modules", "tslab", "bin", "tslab");
const signal = (client) => client.process.kill("SIGINT");
const kernels = {
  katlab: { argv: kernelCommand(), stop: (client) => client.interrupt(), importsKatlab: true },
  "stock tslab": {
    argv: [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"],
    stop: signal,
    importsKatlab: true,
  },
  // Deno finds katlab by no name here, and a native addon of Node's is not what it is measured by.
  ...(options.deno === undefined
    ? {}
    : {
        Deno: {
          argv: [options.deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
          stop: signal,
          importsKatlab: false,
        },
      }),
};
const runs = Number(options.runs);
const lines = 100_000;
const giveUpMs = 15_000;

const now = () => performance.now();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const within = (promise, ms) => Promise.race([promise, wait(ms).then(() => undefined)]);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const importCell = 'import * as kl from "katlab"';

async function timed(action) {
  const started = now();
  await action();
  return now() - started;
}

/** Median time of one action done several times. */
async function typical(times, action) {
  const all = [];
  for (let i = 0; i < times; i++) all.push(await timed(() => action(i)));
  return median(all);
}

function megabytes(client) {
  const status = readFileSync(`/proc/${client.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
}

/** One kernel from its start to its end; milliseconds and megabytes. What a kernel cannot do stays undefined. */
async function measure({ argv, stop, importsKatlab }) {
  const start = () => KernelClient.start({ argv, cwd });
  const started = now();
  const client = await start();
  await client.execute("1 + 1");
  const result = { firstResult: now() - started };
  if (importsKatlab) {
    result.importedCold = await timed(() => client.execute(importCell));
    await client.execute("const x = kl.tf.tensor1d([1, 2, 3])");
    result.tensor = await typical(5, (i) => client.execute(`const y${i} = kl.tf.mul(x, ${i}); y${i}.shape`));
  }
  result.plain = await typical(20, (i) => client.execute(`const value${i} = ${i}; value${i} + 1`));
  const code = importsKatlab ? "kl.createMo" : "Math.ma";
  result.completion = await typical(10, () =>
    client.request("complete_request", { code, cursor_pos: code.length }),
  );
  result.memory = megabytes(client);

  const printing = client.submit(`for (let i = 0; i < ${lines}; i++) console.log(i)`);
  result.printed = await timed(() => within(printing.done, giveUpMs));
  // Some kernels say that they are done before their output has come.
  await wait(result.printed < giveUpMs ? 500 : 0);
  result.received =
    client.published
      .filter(({ parent, header }) => parent.msg_id === printing.id && header.msg_type === "stream")
      .map(({ content }) => content.text)
      .join("")
      .split("\n").length - 1;
  if (result.printed >= giveUpMs) {
    client.kill();
    return { ...result, ...(await measureStop(await start(), stop)) };
  }
  return { ...result, ...(await measureStop(client, stop)), ...(await measureWarm(start, importsKatlab)) };
}

/** Stop → idle, and how long a new kernel takes to answer after the old one is told to go. */
async function measureStop(client, stop) {
  const looping = client.submit("while (true) await new Promise((r) => setTimeout(r, 10))");
  await wait(500);
  const pressed = now();
  await stop(client);
  const ended = await within(Promise.race([looping.done, client.exited.then(() => undefined)]), 5000);
  const stopped = ended === undefined ? undefined : now() - pressed;
  if (client.process.exitCode !== null || client.process.signalCode !== null) {
    client.kill();
    return { stopped: undefined };
  }
  // tslab drops what is sent in the first 200 ms after a stop.
  await wait(500);
  const restarted = now();
  await within(client.shutdown(), giveUpMs);
  client.process.kill("SIGKILL");
  return { stopped, shutdown: now() - restarted };
}

/** The first import after the kernel had three seconds to itself. */
async function measureWarm(start, importsKatlab) {
  const started = now();
  const client = await start();
  const ready = now() - started;
  await wait(3000);
  const importedWarm = importsKatlab ? await timed(() => client.execute(importCell)) : undefined;
  client.kill();
  return { ready, importedWarm };
}

async function compare() {
  const results = Object.fromEntries(Object.keys(kernels).map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const [name, kernel] of Object.entries(kernels)) {
      const result = await measure(kernel);
      if (result.shutdown !== undefined && result.ready !== undefined) {
        result.restarted = result.shutdown + result.ready;
      }
      results[name].push(result);
    }
  }
  const rows = {
    firstResult: "start → result of 1 + 1, ms (goal 2000)",
    plain: "plain cell, ms (20)",
    importedCold: "first import of katlab, cold, ms (1200)",
    importedWarm: "… after 3 idle seconds, ms (400)",
    tensor: "cell with tensors, ms (80)",
    completion: "completion, ms (100)",
    printed: `${lines.toLocaleString("en")} lines, ms (500)`,
    received: "… of them received",
    stopped: "stop → idle, ms (300)",
    restarted: "restart → idle, ms (2000)",
    memory: "memory, MB",
  };
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([key, label]) => [
        label,
        Object.fromEntries(
          Object.entries(results).map(([name, all]) => {
            const known = all.map((one) => one[key]).filter((value) => value !== undefined);
            return [name, known.length === 0 ? "–" : Math.round(median(known))];
          }),
        ),
      ]),
    ),
  );
  console.log(
    `medians of ${runs}, Node ${process.versions.node}; –: not possible, or the kernel did not live`,
  );
  if (options.deno === undefined) console.log("Deno is not measured: --deno names its program");
}

/** A training chart, drawn anew five times a second, as train() shows it. */
async function watchChart(minutes) {
  const [node, ...kernel] = kernels.katlab.argv;
  const client = await KernelClient.start({ argv: [node, "--expose-gc", ...kernel], cwd });
  const run = async (code) => {
    const { reply } = await client.execute(code);
    if (reply.status !== "ok") throw new Error(reply.evalue);
  };
  await run(importCell);
  await run(`const live = new kl.LiveFigure({ perSecond: 5 });
const steps = Array.from({ length: 300 }, (_, i) => ({ step: i + 1, epoch: 1, loss: 2 / (i + 1), learningRate: 0.001 }));
const history = (shift: number) => ({ steps: steps.map((s) => ({ ...s, loss: s.loss + (shift % 7) / 100 })), epochs: [] });`);
  const code = `const until = Date.now() + ${minutes * 60_000};
for (let i = 0; Date.now() < until; i++) {
  live.update(() => kl.plotTraining(history(i)));
  if (${options.collect} && i % 300 === 0) globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 200));
}`;
  let updates = 0;
  client.onPublished = ({ header }) => {
    if (header.msg_type === "update_display_data") updates++;
    client.published.length = 0;
  };
  const started = now();
  const done = client.submit(code).done.then(({ reply }) => reply);
  const samples = [];
  let ended;
  while (ended === undefined) {
    ended = await within(done, 5000);
    samples.push([(now() - started) / 60_000, megabytes(client)]);
    if (samples.length % 12 === 0)
      console.log(`${Math.round(samples.length / 12)} min: ${samples.at(-1)[1].toFixed(0)} MB`);
  }
  client.kill();
  const settled = samples.filter(([minute]) => minute >= Math.min(5, minutes / 3));
  console.log(
    `${updates} updates, ${ended.status}; ${(10 * slope(settled)).toFixed(2)} MB in 10 minutes (goal 1)`,
  );
}

/** Least squares. */
function slope(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

if (options.chart === undefined) await compare();
else await watchChart(Number(options.chart));
process.exit();
