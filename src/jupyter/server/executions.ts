import type { Compilation, Language } from "../engine.js";
import type { Peer } from "../peer.js";
import { diagnosticsContent } from "../diagnosticsContent.js";
import { interruptedContent } from "../interrupted.js";
import type { DisplayContent, ErrorContent, MainService, RunOutcome } from "../threads.js";
import type { JsonObject, Message } from "../wire.js";
import { askedName } from "./askedName.js";
import type { History } from "./history.js";
import type { Interruptible } from "./interrupter.js";
import { RequestContent } from "./requests.js";

/** Time in which requests that a front end sent together with a failing one arrive, and are aborted with it. */
const drainMs = 30;

/** Where an execution's messages go. */
export interface ExecutionOutput {
  publish(request: Message, type: string, content: object): void;
  reply(request: Message, content: object): void;
  status(state: "busy" | "idle", request: Message): void;
}

/** A cell between its request and its reply. */
interface Job extends Interruptible {
  readonly request: Message;
  end: () => void;
}

/** Runs `execute_request`s one after the other. */
export class Executions {
  readonly #main: Peer<MainService>;
  readonly #language: Peer<Language>;
  readonly #output: ExecutionOutput;
  readonly #history: History;
  readonly #queue: Message[] = [];
  readonly #aborted = new WeakSet<Message>();
  readonly #requests = new RecentRequests();
  readonly #waiting = new Map<number, (outcome: RunOutcome) => void>();
  #isPumping = false;
  #count = 0;
  #runs = 0;
  #current: Job | undefined;

  constructor({
    main,
    language,
    output,
    history,
  }: {
    main: Peer<MainService>;
    language: Peer<Language>;
    output: ExecutionOutput;
    history: History;
  }) {
    this.#main = main;
    this.#language = language;
    this.#output = output;
    this.#history = history;
  }

  /** The cell between its request and its reply. */
  get current(): (Interruptible & { readonly request: Message }) | undefined {
    return this.#current;
  }

  enqueue(request: Message): void {
    this.#queue.push(request);
    if (!this.#isPumping) void this.#pump();
  }

  /** The request that output of a run answers. */
  requestOf(run: number): Message | undefined {
    return this.#requests.get(run);
  }

  /** Gives a number to a request that is no cell but may cause output, such as a message to a widget. */
  numberFor(request: Message): number {
    const run = ++this.#runs;
    this.#requests.add(run, request);
    return run;
  }

  finished(run: number, outcome: RunOutcome): void {
    this.#waiting.get(run)?.(outcome);
    this.#waiting.delete(run);
  }

  listensToSignal(run: number): void {
    if (this.#current?.run === run) this.#current.listensToSignal = true;
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      this.#output.status("busy", request);
      if (this.#aborted.has(request)) this.#output.reply(request, { status: "aborted" });
      else await this.#execute(request);
      this.#output.status("idle", request);
    }
    this.#isPumping = false;
  }

  async #execute(request: Message): Promise<void> {
    const job = this.#begin(request);
    const reply = await this.#replyTo(request, job).catch((fault: unknown) => {
      const content = faultContent(fault);
      this.#output.publish(request, "error", content);
      return { status: "error", ...content };
    });
    this.#current = undefined;
    this.#output.reply(request, reply);
    job.end();
  }

  /** Runs a cell, publishes what comes of it, and returns the content of the reply. */
  async #replyTo(request: Message, job: Job): Promise<object> {
    const content = new RequestContent("execute_request", request.content);
    const code = content.string("code");
    const isSilent = content.boolean("silent", false);
    const isStored = !isSilent && content.boolean("store_history", true);
    const allowStdin = content.boolean("allow_stdin", false);
    const count = isStored ? ++this.#count : this.#count;
    if (isStored) this.#history.add(count, code);
    if (!isSilent) this.#output.publish(request, "execute_input", { code, execution_count: count });

    const asked = askedName(code);
    const { result, error } =
      asked === undefined
        ? await this.#run(job, code, count, { isSilent, allowStdin })
        : await this.#explain(asked);
    if (error === undefined) {
      if (result !== undefined && !isSilent) this.#publishResult(request, result, count, isStored);
      const expressions = await this.#expressions(job, content.object("user_expressions"), count);
      return { status: "ok", execution_count: count, user_expressions: expressions, payload: [] };
    }
    if (!isSilent) this.#output.publish(request, "error", error);
    if (content.boolean("stop_on_error", true)) await this.#abortQueued();
    return { status: "error", execution_count: count, ...error };
  }

  #begin(request: Message): Job {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const job: Job = {
      request,
      run: undefined,
      isInterrupted: false,
      listensToSignal: false,
      ended,
      end,
    };
    this.#current = job;
    return job;
  }

  /** Compiles and runs code for a job, and tells the language what came of it. */
  async #run(
    job: Job,
    code: string,
    count: number,
    { isSilent, allowStdin }: { isSilent: boolean; allowStdin: boolean },
  ): Promise<RunOutcome> {
    const id = this.numberFor(job.request);
    const compilation: Compilation = await this.#language.ask("compile", { id, count, code });
    if ("diagnostics" in compilation) {
      return { reached: -1, error: diagnosticsContent(compilation.diagnostics, { count, code }) };
    }
    if (job.isInterrupted) return { reached: -1, error: interruptedContent };
    const finished = new Promise<RunOutcome>((resolve) => this.#waiting.set(id, resolve));
    job.run = id;
    this.#main.tell("run", { cell: compilation, silent: isSilent, allowStdin });
    const outcome = await finished;
    job.run = undefined;
    this.#language.tell("accept", { id, reached: outcome.reached });
    return outcome;
  }

  /** What is known about a name, as the result of a cell. */
  async #explain(name: string): Promise<RunOutcome> {
    const data = await this.#language.ask("inspect", { code: name, position: name.length });
    if (data !== null) return { reached: -1, result: JSON.stringify({ data, metadata: {} }) };
    const evalue = `Nothing is known about ${name}: no cell that ran has declared or imported it.`;
    return { reached: -1, error: { ename: "NotFound", evalue, traceback: [evalue] } };
  }

  #publishResult(request: Message, result: string, count: number, isStored: boolean): void {
    const content = JSON.parse(result) as DisplayContent;
    this.#output.publish(request, "execute_result", { ...content, execution_count: count });
    const text = content.data["text/plain"];
    if (isStored && typeof text === "string") this.#history.setOutput(text);
  }

  /** What a front end wants to know about the state after the cell. */
  async #expressions(job: Job, wanted: JsonObject, count: number): Promise<JsonObject> {
    const results: JsonObject = {};
    for (const [name, expression] of Object.entries(wanted)) {
      const { result, error } = await this.#run(job, `(${String(expression)}\n)`, count, {
        isSilent: false,
        allowStdin: false,
      });
      results[name] =
        error === undefined
          ? {
              status: "ok",
              ...(result === undefined ? { data: {}, metadata: {} } : (JSON.parse(result) as object)),
            }
          : { status: "error", ...error };
    }
    return results;
  }

  /** A front end that runs all cells sends them at once: those after a failed one do not run. */
  async #abortQueued(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, drainMs));
    for (const request of this.#queue) this.#aborted.add(request);
  }
}

/** A fault of the kernel or of a request, as the content of an error reply. */
export function faultContent(fault: unknown): ErrorContent {
  const { name, message } = fault instanceof Error ? fault : new Error(String(fault));
  return { ename: name, evalue: message, traceback: [`${name}: ${message}`] };
}

/** Requests by run number; old ones are forgotten, and what still comes of them counts to the last. */
class RecentRequests {
  static readonly #limit = 1000;
  readonly #requests = new Map<number, Message>();
  #last: Message | undefined;

  add(run: number, request: Message): void {
    this.#requests.set(run, request);
    this.#last = request;
    if (this.#requests.size > RecentRequests.#limit) {
      for (const oldest of this.#requests.keys()) {
        this.#requests.delete(oldest);
        break;
      }
    }
  }

  get(run: number): Message | undefined {
    return this.#requests.get(run) ?? this.#last;
  }
}
