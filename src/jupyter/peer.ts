/** Messages between the kernel's threads: functions offered by one, called by the other. */

/** One end of a channel: a `MessagePort` or a `Worker`. */
export interface Endpoint {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

/** An object whose methods take at most one structured-clonable argument. */
type Service<T> = { [K in keyof T]: (argument: never) => unknown };

interface Call {
  call: string;
  argument: unknown;
  /** Number of the question; absent when no answer is wanted. */
  question?: number;
}

interface Answer {
  answerTo: number;
  value?: unknown;
  fault?: string;
}

/**
 * Calls another thread and serves its calls.
 *
 * A function that returns no promise is answered within the same turn of the event loop: the answer then shows
 * that the thread is alive, and no promise reaction can be lost on the way.
 */
export class Peer<Theirs extends Service<Theirs>> {
  readonly #endpoint: Endpoint;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (fault: Error) => void }
  >();
  #asked = 0;

  constructor(endpoint: Endpoint, ours: object) {
    this.#endpoint = endpoint;
    const services = ours as Record<string, ((argument: unknown) => unknown) | undefined>;
    endpoint.on("message", (message) => {
      if (isAnswer(message)) this.#settle(message);
      else this.#serve(message as Call, services);
    });
  }

  /** Calls without waiting for an answer. */
  tell<Name extends keyof Theirs & string>(name: Name, ...argument: Parameters<Theirs[Name]>): void {
    this.#endpoint.postMessage({ call: name, argument: argument[0] } satisfies Call);
  }

  /** Calls and waits for the answer. */
  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...argument: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    const question = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(question, { resolve: resolve as (value: unknown) => void, reject });
      this.#endpoint.postMessage({ call: name, argument: argument[0], question } satisfies Call);
    });
  }

  #serve(
    { call, argument, question }: Call,
    services: Record<string, ((argument: unknown) => unknown) | undefined>,
  ): void {
    const answer = (reply: Omit<Answer, "answerTo">): void => {
      if (question !== undefined)
        this.#endpoint.postMessage({ answerTo: question, ...reply } satisfies Answer);
    };
    const fail = (fault: unknown): void =>
      answer({ fault: fault instanceof Error ? fault.message : String(fault) });
    try {
      const value = services[call]?.call(services, argument);
      if (value instanceof Promise) value.then((settled: unknown) => answer({ value: settled }), fail);
      else answer({ value });
    } catch (fault) {
      if (question === undefined) throw fault;
      fail(fault);
    }
  }

  #settle({ answerTo, value, fault }: Answer): void {
    const pending = this.#pending.get(answerTo);
    this.#pending.delete(answerTo);
    if (fault === undefined) pending?.resolve(value);
    else pending?.reject(new Error(fault));
  }
}

function isAnswer(message: unknown): message is Answer {
  return typeof message === "object" && message !== null && "answerTo" in message;
}
