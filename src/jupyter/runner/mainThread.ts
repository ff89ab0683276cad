import { mustBe } from "../../errors.js";
import type { Engine, Runner } from "../engine.js";
import { type Endpoint, Peer } from "../peer.js";
import type { CommMessage, MainService, RunRequest, ServerService } from "../threads.js";
import { CellContexts } from "./cellContexts.js";
import { CellRuns } from "./cellRuns.js";
import { errorContent } from "./errorContent.js";
import { Host, hostSymbol } from "./host.js";
import { StackTraces } from "./stackTraces.js";
import { installStdio } from "./stdio.js";
import { StreamJoiner } from "./streamJoiner.js";
import { installTimers } from "./timers.js";
import { connectTslabDisplay } from "./tslabDisplay.js";

const exit = process.exit.bind(process);

/** The thread on which cells run, as the server sees it. */
export class MainThread implements MainService {
  readonly #contexts = new CellContexts();
  readonly #traces: StackTraces;
  readonly #server: Peer<ServerService>;
  readonly #host: Host;
  readonly #runner: Runner;
  readonly #runs: CellRuns;

  /**
   * Prepares the process for cells and tells the server that it is ready.
   *
   * @param folder where the notebook is
   * @param stopFlag shared with the server
   */
  constructor(server: Endpoint, engine: Engine, folder: string, stopFlag: Int32Array) {
    this.#traces = new StackTraces(folder);
    this.#server = new Peer<ServerService>(server, this);
    const streams = new StreamJoiner((text) => this.#server.tell("stream", text));
    const flush = (): void => streams.flush();
    this.#host = new Host(this.#server, this.#contexts, flush);
    this.#runner = engine.createRunner({
      folder,
      contexts: this.#contexts,
      traces: this.#traces,
      stopFlag,
      afterImport: () => connectTslabDisplay(this.#host),
    });
    this.#runs = new CellRuns({
      runner: this.#runner,
      contexts: this.#contexts,
      server: this.#server,
      places: this.#traces,
      flush,
    });

    Object.defineProperty(globalThis, hostSymbol, { value: this.#host });
    this.#traces.install();
    installStdio(streams, this.#contexts);
    installTimers(this.#contexts);
    this.#guardProcess();
    this.#server.tell("ready");
  }

  run(request: RunRequest): void {
    this.#runs.start(request);
  }

  pulse(): true {
    return true;
  }

  abort(job: number): void {
    this.#runs.abort(job);
  }

  stop(job: number): void {
    this.#runs.stop(job);
  }

  input(value: string): void {
    this.#host.receiveInput(value);
  }

  comm(message: CommMessage): void {
    this.#contexts.answer(message.job, this.#host.comms.runOf(message.id));
    this.#host.comms.receive(message);
  }

  exit(): void {
    this.#runner.close();
    exit(0);
  }

  /** Faults in the background are reported in the cell they belong to; they do not end the kernel. */
  #guardProcess(): void {
    const report = (what: string) => (fault: unknown) => {
      process.stderr.write(`${what}: ${errorContent(fault, this.#traces).traceback.join("\n")}\n`);
    };
    process.on("uncaughtException", report("Uncaught in the background"));
    process.on("unhandledRejection", report("Unhandled rejection in the background"));
    process.on("SIGINT", () => this.#server.tell("interrupt"));
    process.exit = (code) => {
      throw mustBe({
        subject: "process.exit",
        must: "must not be called in a notebook cell",
        got: `code ${code ?? 0}`,
        remedy: "Shut down or restart the kernel from the notebook's menu.",
      });
    };
  }
}
