/**
 * Fuzzes the parsers of files from elsewhere: `npm run test:fuzz -- SECONDS [PARSER[,PARSER]] [SEED]`, SECONDS for each parser.
 * Each runs on mutated files of its corpus in a process of its own that may write to one folder only. Counted as faults:
 * any error that is not a plain refusal, a crash, more than 20 s for one file, 1.5 GiB of memory, files or prototypes changed.
 */
import { join } from "node:path";
import { parsers } from "./parsers/index.ts";
import { fuzz, type Result } from "./watch.ts";

const seconds = Number(process.argv[2] ?? 5);
const wanted = process.argv[3] === undefined || process.argv[3] === "all" ? parsers.map(({ name }) => name) : process.argv[3].split(",");
const seed = Number(process.argv[4] ?? Date.now() % 1e6);
const unknown = wanted.filter((name) => !parsers.some((parser) => parser.name === name));
if (!(seconds > 0) || !Number.isSafeInteger(seed) || unknown.length > 0) {
  console.error(`usage: npm run test:fuzz -- SECONDS [PARSER[,PARSER]|all] [SEED]; parsers: ${parsers.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const keep = join(import.meta.dirname, "../../../test-results/fuzz");
const results: Result[] = [];
console.log(`seed ${seed}, ${seconds} s a parser`);
console.log("PARSER            TRIES      PER S   ACCEPTED    REFUSED   MEMORY  FAULTS");
for (const parser of parsers.filter(({ name }) => wanted.includes(name))) {
  const result = await fuzz(parser, seconds, seed, keep);
  results.push(result);
  const numbers = [result.tries, Math.round(result.tries / result.seconds), result.accepted, result.refused];
  console.log([result.parser.padEnd(12), ...numbers.map((number) => String(number).padStart(10)), `${(result.peakMemory / 2 ** 20).toFixed(0)} MiB`.padStart(8), String(result.faults.size).padStart(7)].join(" "));
  for (const { index, what, count, file } of result.faults.values()) console.log(`  fault, ${count} times, first in input ${index}${file === null ? "" : ` (${file})`}:\n    ${what.replaceAll("\n", "\n    ")}`);
}
process.exitCode = results.some(({ faults }) => faults.size > 0) ? 1 : 0;
