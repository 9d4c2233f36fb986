/**
 * Faults at random moments: `npm run test:faults -- [ROUNDS] [SEED] [FAULT…]`. Each fault strikes for so many rounds, in
 * turn; the table says how often each struck, what was lost, damaged, different or disturbed by it, and what was said.
 */
import { setPriority } from "node:os";
import { randomOf } from "./random.ts";
import { allFaults } from "./allFaults.ts";
import { Frame } from "./frame.ts";
import { addOutcome, newOutcome, problemsOf, type Outcome } from "./outcome.ts";
import { messageOf } from "../../src/shared/errors.ts";

const [roundsText = "20", seedText = String(Date.now() % 1e6), ...names] = process.argv.slice(2);
const rounds = Number(roundsText);
const seed = Number(seedText);
const unknown = names.filter((name) => !allFaults.some((fault) => fault.name === name));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error(`usage: npm run test:faults -- [ROUNDS] [SEED] [FAULT…]; faults: ${allFaults.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
// Whoever waits for the machine goes first.
setPriority(10);

const random = randomOf(seed);
const faults = allFaults.filter(({ name }) => names.length === 0 || names.includes(name));
const frame = new Frame();
await frame.prepare();
console.log(`seed ${seed}; undisturbed: ${frame.steps} steps in ${(frame.milliseconds / 1000).toFixed(1)} s`);
const table = new Map<string, Outcome>();
const skipped = new Map<string, string>();
let problems = 0;
let ended = false;
process.on("SIGINT", () => (ended = true));
process.on("SIGTERM", () => (ended = true));

for (let round = 1; round <= rounds && !ended; round++) {
  for (const fault of faults) {
    if (ended) break;
    const why = fault.problem?.() ?? null;
    if (why !== null) {
      skipped.set(fault.name, why);
      continue;
    }
    const outcome = await fault.round(frame, random).catch((error: unknown) => ({ ...newOutcome(), damaged: [`the round itself failed: ${error instanceof Error ? error.stack : messageOf(error)}`] }));
    for (const problem of problemsOf(outcome)) console.log(`round ${round}, ${fault.name}: ${problem}`);
    problems += problemsOf(outcome).length;
    const total = table.get(fault.name) ?? newOutcome();
    addOutcome(total, outcome);
    table.set(fault.name, total);
  }
}

const width = Math.max(...allFaults.map(({ name }) => name.length));
const row = (cells: readonly (string | number)[]) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(width) : String(cell).padStart(9))).join("  "));
console.log();
row(["fault", "times", "lost", "damaged", "different", "disturbed"]);
for (const [name, { times, lost, damaged, different, disturbed }] of table) row([name, times, lost.length, damaged.length, different.length, disturbed.length]);
for (const [name, why] of skipped) console.log(`${name.padEnd(width)}  not tried: ${why}`);
console.log("\nWhat was said:");
for (const [name, { said }] of table) for (const text of said) console.log(`  ${name}: ${text}`);
if (problems === 0) frame.remove();
else console.log(`\n${problems} problems; the stores are below ${frame.root}`);
process.exitCode = problems === 0 ? 0 : 1;
