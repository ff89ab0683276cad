/**
 * Runs tfjs-core's published specs on the torch backend.
 *
 *     node --import tsx test/conformance/run.ts [part of a spec's name]
 *
 * Fails when a spec fails that is not excluded, when an excluded one passes, and when specs are missing.
 */
import { torchKernels } from "../../src/torch/backend.js";
import { watchDelegation } from "./delegation.js";
import { type Exclusion, exclusions } from "./exclusions.js";
import { definedSpecs, newJasmine, type OverallResult, type SpecResult } from "./jasmine.js";
import { loadSpecs } from "./specBundle.js";

const backendName = "torch";
/** What tfjs-core 4.22.0 publishes; another number means that some were not found. */
const published = { files: 265, operators: 3833, core: 397 };

const filter = process.argv[2] ?? "";
const started = performance.now();
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const withoutBackend = (name: string): string => name.replace(` ${backendName} {}`, "");

const jasmine = newJasmine();
jasmine.exitOnCompletion = false;
jasmine.env.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(filter) });
// Specs of tfjs's debug mode and warnings print a lot.
for (const method of ["log", "warn", "info", "error"] as const) console[method] = () => undefined;

const specs = await loadSpecs();
specs.setEnvironment({ name: backendName, backendName, isDataSync: true });
specs.defineOperatorSpecs();
const operators = definedSpecs(jasmine);
specs.defineCoreSpecs();
const core = definedSpecs(jasmine) - operators;

const usedCpu = watchDelegation(backendName);
const results: (SpecResult & { usedCpu: boolean })[] = [];
const overall = await new Promise<OverallResult>((resolve) => {
  jasmine.clearReporters();
  jasmine.addReporter({
    specStarted: usedCpu,
    specDone: (result) => results.push({ ...result, usedCpu: usedCpu() }),
    jasmineDone: resolve,
  });
  void jasmine.execute();
});

const ran = results.filter(({ status }) => status === "passed" || status === "failed");
const pending = results.filter(({ status }) => status === "pending");
const passed = ran.filter(({ status }) => status === "passed");
const failed = ran.filter(({ status }) => status === "failed");
const excused = new Map(exclusions.map((exclusion) => [exclusion.spec, exclusion]));
const excluded = failed.filter(({ fullName }) => excused.has(withoutBackend(fullName)));

const faults = [
  ...overall.failedExpectations.map(({ message }) => `outside the specs: ${message}`),
  ...failed
    .filter((result) => !excluded.includes(result))
    .map(({ fullName, failedExpectations: [{ message }] }) => `${withoutBackend(fullName)}\n    ${message}`),
  ...passed
    .map(({ fullName }) => withoutBackend(fullName))
    .filter((name) => excused.has(name))
    .map((name) => `${name}\n    passes and is excluded: take it out of test/conformance/exclusions.ts`),
];
if (filter === "") {
  const found = { files: specs.files, operators, core };
  for (const name of ["files", "operators", "core"] as const) {
    if (found[name] === published[name]) continue;
    faults.push(`tfjs-core publishes ${published[name]} (${name}); ${found[name]} were found`);
  }
  const names = new Set(ran.map(({ fullName }) => withoutBackend(fullName)));
  for (const { spec } of exclusions)
    if (!names.has(spec)) faults.push(`no spec of this name to exclude: ${spec}`);
}

for (const fault of faults) say(`✗ ${fault}`);
for (const { fullName } of excluded) {
  const { spec, kind, reason } = excused.get(withoutBackend(fullName)) as Exclusion;
  say(`– excluded, ${kind}: ${spec}\n    ${reason}.`);
}
const { native, delegated } = torchKernels();
const seconds = (performance.now() - started) / 1000;
const ofOperators = results.slice(0, operators).filter(({ status }) => status === "passed").length;
say(`specs of tfjs-core: ${operators} of operators, ${core} of its own parts, in ${specs.files} files`);
say(`  ${ofOperators} of operators and ${passed.length - ofOperators} of its own parts passed, of these`);
say(`    ${passed.filter(({ usedCpu }) => !usedCpu).length} on torch alone`);
say(`    ${passed.filter(({ usedCpu }) => usedCpu).length} with the help of tfjs's cpu backend`);
say(`  ${excluded.length} excluded, ${pending.length} switched off by tfjs (xit)`);
say(`tfjs kernels: ${native.length} native, ${delegated.length} delegated to tfjs's cpu backend:`);
say(`  ${delegated.join(", ")}`);
say(`took ${seconds.toFixed(1)} s`);
say(`conformance: ${passed.length} passed, ${faults.length} failed`);
// Backends of specs may hold timers.
process.exit(faults.length === 0 ? 0 : 1);
