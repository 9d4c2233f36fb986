/** The process that runs one parser on mutated files: `child NAME SEED FIRST SECONDS FOLDER`. Its parent watches it. */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { disableSync } from "./noSync.ts";
import { faultyParsers } from "./parsers/faulty.ts";
import { parsers } from "./parsers/index.ts";
import { corpusOf, inputOf, tryInput } from "./run.ts";

/** From the child to its parent. */
export interface Report {
  readonly tries: number;
  readonly accepted: number;
  readonly refused: number;
  readonly faults: readonly { readonly index: number; readonly what: string }[];
}

const [name, seed, first, seconds, folder] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4]), Number(process.argv[5]), process.argv[6]!];
const parser = [...parsers, ...faultyParsers].find((listed) => listed.name === name)!;
const corpus = corpusOf(parser);
/** Holds the number of the current input, for a parent that finds this process dead or hanging. */
const at = openSync(join(folder, "at"), "w");
const number = Buffer.alloc(8);
await disableSync(join(folder, "scratch"));
const end = performance.now() + seconds * 1000;
let counts = { tries: 0, accepted: 0, refused: 0 };
let faults: { index: number; what: string }[] = [];

function report(): void {
  process.send!({ ...counts, faults } satisfies Report);
  [counts, faults] = [{ tries: 0, accepted: 0, refused: 0 }, []];
}

process.on("unhandledRejection", (error) => faults.push({ index: Number(number.readBigUInt64LE()), what: `unhandled rejection: ${String(error)}` }));
let reported = performance.now();
for (let index = first; performance.now() < end || index < first + corpus.length; index++) {
  number.writeBigUInt64LE(BigInt(index));
  writeSync(at, number, 0, 8, 0);
  const { accepted, fault } = await tryInput(parser, inputOf(parser, corpus, seed, index), folder);
  counts.tries++;
  if (accepted) counts.accepted++;
  else counts.refused++;
  if (fault) faults.push({ index, what: fault });
  if (performance.now() - reported < 200) continue;
  reported = performance.now();
  report();
  // Lets the channel drain, and unhandled rejections come.
  await new Promise((resolve) => setImmediate(resolve));
}
report();
process.disconnect();
