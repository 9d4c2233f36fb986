/** Several hosts that start, extend and resume one study at the same moment, while one of them is killed or stopped. */
import { rmSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { startProgram, type Command } from "../command.ts";
import { delay, numbersOf, type Fault, type Frame } from "../frame.ts";
import { newOutcome, plainMessages, problemsOf, type Outcome } from "../outcome.ts";
import { storeFacts, type RunFacts } from "../storeFacts.ts";

const seeds = 6;
const first = 3;
const maxResumptions = 10;

/** Runs of an undisturbed study, by cell. */
const undisturbed = new WeakMap<Frame, Promise<ReadonlyMap<string, RunFacts>>>();

function expected(frame: Frame, file: string): Promise<ReadonlyMap<string, RunFacts>> {
  const known = undisturbed.get(frame);
  if (known) return known;
  const store = frame.newFolder();
  const command = startProgram(store, ["study", file, ...training, "--seeds", String(seeds)]);
  const cells = command.ended.then((code) => {
    if (code !== 0) throw new Error(`the undisturbed study failed: ${command.errors()}`);
    return cellsOf(store);
  });
  undisturbed.set(frame, cells);
  return cells;
}

const training = ["--workers", "1", "--cohort", "1", "--json"];

/** @throws Error where a cell has several runs */
function cellsOf(store: string): ReadonlyMap<string, RunFacts> {
  const found = new Map<string, RunFacts>();
  for (const run of storeFacts(store).runs) {
    if (run.cell === null) continue;
    if (found.has(run.cell)) throw new Error(`${store}: the cell ${run.cell} has several runs`);
    found.set(run.cell, run);
  }
  return found;
}

const studyHosts = (count: number): Fault => ({
  name: `study-hosts-${count}`,
  async round(frame, random) {
    const outcome = newOutcome();
    const store = frame.newStore();
    const file = `${store}.json`;
    writeFileSync(file, JSON.stringify({ base: frame.experiment }));
    const cells = await expected(frame, file);
    const begun = startProgram(store, ["study", file, ...training, "--seeds", String(first)]);
    await begun.until(({ type }) => type === "started");
    const all = [begun, ...rivals(store, count - 1, ["study", "--extend", "last", "--seeds", String(seeds), "--json"])];
    await strike(all, random, outcome);
    await finish(all, outcome);
    let code: number | null = 1;
    for (let attempt = 0; attempt < maxResumptions && code !== 0; attempt++) {
      const order = ["study", ...(attempt % 2 === 0 ? ["--extend", "last", "--seeds", String(seeds)] : ["--resume", "last"]), "--json"];
      const next = rivals(store, attempt < frame.blows - 1 ? count : 1, order);
      if (attempt < frame.blows - 1) await strike(next, random, outcome);
      await finish(next, outcome);
      await frame.check(store, [], outcome);
      code = storeFacts(store).runs.filter(({ cell, status }) => cell !== null && status === "finished").length >= cells.size ? 0 : 1;
    }
    if (code !== 0) outcome.different.push(`${store}: the study does not come to its end`);
    compare(store, cells, outcome);
    if (problemsOf(outcome).length === 0) for (const path of [store, file]) rmSync(path, { recursive: true, force: true });
    return outcome;
  },
});

function compare(store: string, expectedCells: ReadonlyMap<string, RunFacts>, outcome: Outcome): void {
  try {
    const cells = cellsOf(store);
    for (const [cell, run] of expectedCells) {
      const found = cells.get(cell);
      if (!found) outcome.lost.push(`${store}: the cell ${cell}`);
      else if (found.status !== "finished" || !isDeepStrictEqual(numbersOf(found), numbersOf(run))) outcome.different.push(`${store}, cell ${cell}, ${found.status}: other numbers`);
    }
  } catch (error) {
    outcome.different.push(String(error));
  }
}

const rivals = (store: string, count: number, args: readonly string[]) => Array.from({ length: count }, () => startProgram(store, args));

async function strike(commands: readonly Command[], random: () => number, outcome: Outcome): Promise<void> {
  // The others are refused and end by themselves.
  await Promise.race([delay(20_000), ...commands.map((command) => command.until(({ type }) => type === "started")), Promise.all(commands.map(({ ended }) => ended))]);
  await delay(500 + 2_500 * random());
  const alive = commands.filter((command) => !command.isOver());
  const struck = alive[Math.floor(random() * alive.length)];
  if (!struck) return;
  outcome.times++;
  if (random() < 0.6) return struck.signal("all", "SIGKILL");
  struck.signal("all", "SIGSTOP");
  await delay(2_000);
  struck.signal("all", "SIGCONT");
}

async function finish(commands: readonly Command[], { said }: Outcome): Promise<void> {
  await Promise.all(commands.map(({ ended }) => ended));
  for (const { errors } of commands) for (const text of plainMessages(errors())) if (!text.startsWith("[")) said.add(text);
}

export const studyHostFaults: readonly Fault[] = [studyHosts(2), studyHosts(5)];
