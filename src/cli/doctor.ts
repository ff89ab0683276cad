import { Command } from "commander";
import { type DoctorReport, examine } from "./doctorReport.js";

/** `katlab doctor`: what works here, what is missing, and what to do about it. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("show the engine, the device, the versions, and what is missing with its remedy")
    .option("--json", "print the report as JSON")
    .addHelpText("after", "\nExits with 0 when some engine works, otherwise with 1.")
    .action(async ({ json = false }: { json?: boolean }) => {
      const report = await examine();
      console.log(json ? JSON.stringify(report, undefined, 2) : formatReport(report));
      if (!report.ok) process.exitCode = 1;
    });
}

/** The report as an aligned table, ✓ what is there and ✗ what is not, each ✗ with its remedy. */
export function formatReport(report: DoctorReport): string {
  const { engine, versions, checks } = report;
  const headline = engine
    ? [`${engine.engine} on ${engine.deviceName}`, ...threadsOf(engine), engine.precision].join(", ")
    : "no engine works";
  const width = Math.max(...checks.map(({ name }) => name.length));
  const rows = checks.flatMap(({ name, ok, found, remedy }) => [
    `${ok ? "✓" : "✗"} ${name.padEnd(width)}  ${found}`,
    ...(remedy === null ? [] : [`  ${"".padEnd(width)}  → ${remedy}`]),
  ]);
  return [`katlab ${versions.katlab}: ${headline}`, "", ...rows].join("\n");
}

function threadsOf({ threads }: NonNullable<DoctorReport["engine"]>): string[] {
  if (threads === null) return []; // the engine does not tell
  return [threads === 1 ? "1 thread" : `${threads} threads`];
}
