import { createRequire } from "node:module";

/** One failed expectation. */
export interface Failure {
  readonly message: string;
}

/** What jasmine says about a spec that is done. */
export interface SpecResult {
  readonly fullName: string;
  readonly status: "passed" | "failed" | "pending" | "excluded";
  readonly failedExpectations: readonly Failure[];
}

/** What jasmine says in the end. */
export interface OverallResult {
  readonly failedExpectations: readonly Failure[];
}

/** A node of jasmine's tree of suites and specs. */
interface Suite {
  readonly children?: readonly Suite[];
}

/** The parts of jasmine 3.10, which brings no types, that the run needs. */
export interface Jasmine {
  exitOnCompletion: boolean;
  readonly env: {
    configure(options: { random: boolean; specFilter: (spec: { getFullName(): string }) => boolean }): void;
    topSuite(): Suite;
  };
  clearReporters(): void;
  addReporter(reporter: {
    specStarted(): void;
    specDone(result: SpecResult): void;
    jasmineDone(result: OverallResult): void;
  }): void;
  execute(): Promise<unknown>;
}

/** A new jasmine; `describe`, `it` and `expect` are global from then on. */
export function newJasmine(): Jasmine {
  const Jasmine = createRequire(import.meta.url)("jasmine") as new () => Jasmine;
  return new Jasmine();
}

/** Number of specs that are defined so far. */
export function definedSpecs(jasmine: Jasmine): number {
  const count = ({ children }: Suite): number =>
    children === undefined ? 1 : children.reduce((sum, child) => sum + count(child), 0);
  return count(jasmine.env.topSuite());
}
