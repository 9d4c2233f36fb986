/** `npm run -s replay -- FILE.json [--problems PATH]`: replays a trace and prints how far each case is off. */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/shared/errors.ts";
import { readTrace, replay } from "./traces.ts";

/** Largest relative difference that passes, by the precision the trace was recorded in. */
const tolerances = { float64: 1e-9, float32: 1e-4 };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { problems: { type: "string" } } });
if (positionals.length === 0) {
  console.error("usage: npm run -s replay -- FILE.json ... [--problems PATH]");
  process.exit(2);
}

for (const file of positionals) {
  try {
    const trace = await readTrace(file, values.problems);
    const tolerance = tolerances[trace.dtype];
    const steps = [...new Set(trace.cases.map((one) => ("reference" in one ? one.steps : trace.steps)))].join(" or ");
    console.log(`${file}: ${trace.cases.length} cases of ${steps} steps, recorded in ${trace.dtype}, tolerance ${tolerance}`);
    for (const traced of trace.cases) {
      try {
        const { relative, where } = replay(trace, traced);
        const passed = relative <= tolerance;
        if (!passed) process.exitCode = 1;
        console.log(`${passed ? "ok  " : "FAIL"}  ${traced.name.padEnd(28)} ${relative.toExponential(2)}  ${where}`);
      } catch (error) {
        process.exitCode = 1;
        console.log(`FAIL  ${traced.name.padEnd(28)} ${messageOf(error)}`);
      }
    }
  } catch (error) {
    process.exitCode = 1;
    console.error(`${file}: ${messageOf(error)}`);
  }
}
