/** Many random programs: node test/parity/random.ts [programs] [seed]. Prints the seed, and of a failure the smallest program found. */
import { loadEngine } from "../../src/core/engines/index.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { presentEngines } from "../support/engines.ts";
import { checkBatching, checkEngine, checkSimplify, type RandomRun } from "../support/randomChecks.ts";

const programs = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isInteger(programs) || programs < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run test:random -- [programs, a whole number from 1] [seed, a whole number]");
  process.exit(2);
}
console.log(`seed ${seed}, ${programs} programs for each check; again: npm run test:random -- ${programs} ${seed}`);

let failed = 0;
async function check(what: string, body: (run: RandomRun) => Promise<void>): Promise<void> {
  try {
    await body({ seed, programs });
    console.log(`ok      ${what}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${what}\n${messageOf(error)}\n`);
  }
}

await check("simplify", checkSimplify);
for (const kind of presentEngines) {
  const engine = await loadEngine[kind]();
  await check(kind, (run) => checkEngine(kind, engine, run));
  await check(`${kind}, three runs as one`, (run) => checkBatching(kind, engine, run));
}
process.exit(failed === 0 ? 0 : 1);
