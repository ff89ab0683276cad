import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { KernelClient } from "../../src/jupyter/client.js";
import { packageRoot, startTestKernel, textOf } from "./startTestKernel.js";

const kernelProgram = path.join(packageRoot, "share/jupyter/kernels/katlab/kernel.mjs");

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!condition() && Date.now() < deadline) await delay(50);
  return condition();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

function connectionFile(): { folder: string; file: string } {
  const folder = mkdtempSync(path.join(tmpdir(), "katlab-"));
  const file = path.join(folder, "connection.json");
  const ports = { shell_port: 1, iopub_port: 2, stdin_port: 3, control_port: 4, hb_port: 5 };
  writeFileSync(file, JSON.stringify({ transport: "ipc", ip: path.join(folder, "kernel"), ...ports }));
  return { folder, file };
}

function hasPrinted(kernel: KernelClient): boolean {
  return kernel.published.some(({ header }) => header.msg_type === "stream");
}

describe("a kernel", () => {
  test("tells front ends that it is idle, without being asked", async () => {
    const kernel = await startTestKernel();
    const isIdle = (): boolean =>
      kernel.published.some(
        ({ header, content, parent }) =>
          header.msg_type === "status" &&
          content["execution_state"] === "idle" &&
          parent.msg_id === undefined,
      );
    expect(await until(isIdle, 3000)).toBe(true);
  });

  test("shuts down by itself, and runs exit handlers", async () => {
    const kernel = await startTestKernel();
    const folder = mkdtempSync(path.join(tmpdir(), "katlab-exit-"));
    const file = path.join(folder, "exited");
    await kernel.execute(
      `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(file)}, "yes"))`,
    );
    expect(await kernel.shutdown()).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("yes");
  });

  test("shuts down although a timer, a worker or a loop goes on", async () => {
    const pending = await startTestKernel();
    await pending.execute(
      'setInterval(() => {}, 10); import { Worker } from "node:worker_threads"; new Worker("setInterval(() => {}, 10)", { eval: true })',
    );
    expect(await pending.shutdown()).toBe(0);
    const busy = await startTestKernel();
    void busy.submit("console.log('runs'); while (true) {}");
    expect(await until(() => hasPrinted(busy), 30_000)).toBe(true);
    const started = Date.now();
    expect(await busy.shutdown()).toBeNull();
    expect(Date.now() - started).toBeLessThan(5000);
  }, 60_000);

  test("ends when the Jupyter server is gone", async () => {
    // A parent that starts the kernel and then only waits, as the server does.
    const { folder, file } = connectionFile();
    const script = `
      const { spawn } = require("node:child_process");
      const kernel = spawn(process.execPath, process.argv.slice(1), { stdio: "ignore" });
      console.log(kernel.pid);
      setInterval(() => {}, 1000);`;
    const server = spawn(process.execPath, ["-e", script, kernelProgram, file]);
    const pid = await new Promise<number>((resolve) =>
      server.stdout.once("data", (text: Buffer) => resolve(Number(text))),
    );
    // The channel for requests is opened last.
    expect(await until(() => existsSync(path.join(folder, "kernel-1")), 20_000)).toBe(true);
    server.kill("SIGKILL");
    expect(await until(() => !isAlive(pid), 6000)).toBe(true);
  });

  test("does not start for a server that is gone already", async () => {
    const gone = spawn(process.execPath, ["--version"]);
    await once(gone, "exit");
    const kernel = spawn(process.execPath, [kernelProgram, connectionFile().file], {
      env: { ...process.env, JPY_PARENT_PID: String(gone.pid) },
    });
    expect(await once(kernel, "exit")).toEqual([0, null]);
  });

  test("works beside another one, and neither sees or waits for the other", async () => {
    const [one, other] = await Promise.all([startTestKernel(), startTestKernel()]);
    const busy = one.submit("let name = 'one'; console.log(name); while (true) {}");
    expect(textOf(await other.execute("let name = 'other'; name"))).toBe("'other'");
    expect(await until(() => hasPrinted(one), 30_000)).toBe(true);
    expect(one.process.exitCode).toBeNull();
    other.process.kill("SIGINT");
    // A signal takes its time, and would rightly stop the next cell.
    await delay(300);
    await other.interrupt();
    expect(textOf(await other.execute("name"))).toBe("'other'");
    await one.interrupt();
    expect((await busy.done).stdout).toBe("one\n");
    expect(textOf(await one.execute("name"))).toBe("'one'");
    one.kill();
    expect(textOf(await other.execute("name.length"))).toBe("5");
  });

  test("starts from its kernelspec at any path", async () => {
    const folder = path.join(mkdtempSync(path.join(tmpdir(), "katlab-")), "a clone, somewhere");
    mkdirSync(folder);
    cpSync(path.join(packageRoot, "share"), path.join(folder, "share"), { recursive: true });
    cpSync(path.join(packageRoot, "dist"), path.join(folder, "dist"), { recursive: true });
    cpSync(path.join(packageRoot, "package.json"), path.join(folder, "package.json"));
    symlinkSync(path.join(packageRoot, "node_modules"), path.join(folder, "node_modules"));
    const specFolder = path.join(folder, "share", "jupyter", "kernels", "katlab");
    const spec = JSON.parse(readFileSync(path.join(specFolder, "kernel.json"), "utf8")) as {
      argv: string[];
      interrupt_mode: string;
    };
    expect(spec.interrupt_mode).toBe("message");
    const kernel = await KernelClient.start({
      argv: spec.argv.map((argument) => argument.replace("{resource_dir}", specFolder)),
      cwd: folder,
    });
    expect(textOf(await kernel.execute("process.cwd()"))).toBe(`'${folder}'`);
    await kernel.shutdown();
  });

  test("that cannot start says why", async () => {
    const start = promisify(execFile)(process.execPath, [kernelProgram, "/no/such/file"]);
    await expect(start).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^\/no\/such\/file: must be a readable connection file/) as string,
    });
  });
});
