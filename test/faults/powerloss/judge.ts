/** Opens what a power cut left, and compares it with what had been acknowledged. */
import { existsSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { verifyStore } from "../../../src/main/hosting/verify.ts";
import { messageOf } from "../../../src/shared/errors.ts";
import { startProgram, type Line } from "../command.ts";
import { missing, numbersOf } from "../frame.ts";
import { newOutcome, plainMessages, problemsOf, type Outcome } from "../outcome.ts";
import { storeFacts, type RunFacts } from "../storeFacts.ts";
import { Disk, filesBelow } from "./disk.ts";
import { environmentOf, folders, type Recording } from "./record.ts";

/** Cuts the power after `length` entries of a recording. @param folder where the disk is then written; removed where nothing is wrong */
export async function cut(recording: Recording, length: number, folder: string, random: () => number): Promise<Outcome> {
  const outcome = newOutcome();
  outcome.times = 1;
  const disk = new Disk(recording.root);
  let said = "";
  for (const entry of recording.entries.slice(0, length)) {
    if (entry.kind === "said") said += entry.data.toString();
    else disk.apply(entry);
  }
  disk.writeCut(folder, random);
  const lines = said.split("\n").flatMap((text) => (text.startsWith("{") ? [JSON.parse(text) as Line] : []));
  compareFiles(recording, lines, folder, outcome);
  for (const name of [folders.store, folders.second]) {
    try {
      await judgeStore(recording, name, lines, folder, outcome);
    } catch (error) {
      outcome.damaged.push(`${folder}, ${name}: ${messageOf(error)}`);
    }
  }
  if (problemsOf(outcome).length === 0) rmSync(folder, { recursive: true, force: true });
  return outcome;
}

/** Acknowledged files have to be as they were in the end. */
function compareFiles({ root, facts }: Recording, lines: readonly Line[], folder: string, { lost }: Outcome): void {
  const finished = lines.flatMap(({ type, run }) => (type === "finished" ? [`${folders.store}/weights/${run}.`] : []));
  const done = lines.flatMap(({ type, files }) => (type === "done" ? (files as string[]) : []));
  const isAcknowledged = (path: string) => finished.some((begin) => path.startsWith(begin)) || done.some((file) => path === file || path.startsWith(`${file}/`));
  if (facts.size === 0) throw new Error("the recording has no store");
  const found = existsSync(folder) ? filesBelow(folder) : new Map<string, Buffer | null>();
  for (const [path, content] of filesBelow(root)) {
    if (content === null || !isAcknowledged(path.split(sep).join("/"))) continue;
    if (!found.get(path)?.equals(content)) lost.push(`${join(folder, path)}, ${found.has(path) ? "which has another content" : "which is not there"}`);
  }
}

async function judgeStore({ facts }: Recording, name: string, lines: readonly Line[], folder: string, outcome: Outcome): Promise<void> {
  const store = join(folder, name);
  const final = facts.get(name) ?? [];
  const imported = name === folders.second && lines.some(({ command }) => String(command).startsWith("import"));
  const told = name === folders.store ? lines.filter(({ run }) => final.some(({ id }) => id === run)) : imported ? final.map(({ id }) => ({ type: "finished", run: id })) : [];
  if (!existsSync(join(store, "hypertower.sqlite"))) {
    if (told.length > 0) outcome.lost.push(`the store ${store}`);
    return;
  }
  // The program opens the store first, as a person does after the power is back.
  const opened = startProgram(store, ["runs", "--json"], { ...environmentOf(folder), HYPERTOWER_HOME: store });
  if ((await opened.ended) !== 0) outcome.damaged.push(`${store} cannot be opened: ${opened.errors().trim()}`);
  const runs = await check(store, told, final, outcome);
  for (const { id, status } of runs) {
    if (status === "finished") continue;
    const command = startProgram(store, ["resume", id, "--json"], { ...environmentOf(folder), HYPERTOWER_HOME: store });
    const code = await command.ended;
    for (const text of plainMessages(command.errors())) outcome.said.add(text);
    if (code !== 0) outcome.different.push(`${store}, run ${id}, which was ${status}, cannot be resumed: ${command.errors().trim()}`);
  }
  for (const run of await check(store, told, final, outcome)) {
    const expected = final.find(({ id }) => id === run.id);
    if (!expected || run.status !== "finished" || !isDeepStrictEqual(numbersOf(run), numbersOf(expected))) outcome.different.push(`${store}, run ${run.id}, ${run.status}: other numbers`);
  }
}

async function check(store: string, told: readonly Line[], final: readonly RunFacts[], outcome: Outcome): Promise<readonly RunFacts[]> {
  const { integrity, runs } = storeFacts(store);
  if (integrity !== "ok") outcome.damaged.push(`${store}: ${integrity}`);
  const { findings } = await verifyStore(store);
  outcome.damaged.push(...findings.filter(({ severity }) => severity === "damage").map(({ where, problem }) => `${store}, ${where}: ${problem}`));
  for (const { id } of final) {
    const lines = told.filter(({ run }) => run === id);
    if (lines.length === 0) continue;
    const run = runs.find((each) => each.id === id);
    if (run) outcome.lost.push(...missing(run, lines).map((text) => `${store}, run ${id}: ${text}`));
    else outcome.lost.push(`${store}: run ${id}`);
  }
  return runs;
}
