/** Commands that write files, on a disk that fills up or fails: whole files or none, plain words, and success afterwards. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProgram } from "../command.ts";
import type { Fault } from "../frame.ts";
import { newOutcome, plainMessages, problemsOf } from "../outcome.ts";
import { Control, shimEnvironment, shimProblem, type Failing } from "../shim/shim.ts";

interface Paths {
  readonly store: string;
  readonly out: string;
  readonly data: string;
  readonly second: string;
  readonly archive: string;
  readonly table: string;
}

interface FileCommand {
  readonly name: string;
  readonly args: (paths: Paths) => readonly string[];
  /** Folder in which writing fails. */
  readonly target: "out" | "data" | "second" | "backups";
  /** Bytes that the command writes about; the disk is full within them. */
  readonly bytes: number;
}

const commands: readonly FileCommand[] = [
  { name: "report", args: ({ out }) => ["report", "last", "--run", "--out", join(out, "report")], target: "out", bytes: 800_000 },
  { name: "export", args: ({ out }) => ["export", "last", "--format", "csv", "--out", join(out, "run.csv")], target: "out", bytes: 200_000 },
  { name: "archive", args: ({ out }) => ["archive", "last", "--out", join(out, "run.hypertower")], target: "out", bytes: 60_000 },
  { name: "import", args: ({ archive, second }) => ["import", archive, "--store", second, "--json"], target: "second", bytes: 500_000 },
  { name: "backup", args: () => ["doctor", "backup", "--json"], target: "backups", bytes: 500_000 },
  { name: "own-data", args: ({ table }) => ["datasets", "add", table, "--json"], target: "data", bytes: 3_000 },
];

const ways: readonly Failing[] = ["full", "writeError", "syncError", "noInodes", "readOnly"];

const failing = ({ name, args, target, bytes }: FileCommand): Fault => ({
  name: `failing-${name}`,
  problem: shimProblem,
  async round(frame, random) {
    const outcome = newOutcome();
    const folder = frame.newFolder();
    const store = frame.newStore();
    const path = (of: string) => join(folder, of);
    const paths = { store, out: path("out"), data: path("data"), second: path("second"), archive: path("run.hypertower"), table: path("own.csv") };
    mkdirSync(paths.out, { recursive: true });
    writeFileSync(paths.table, `x,y,class\n${Array.from({ length: 90 }, (_, i) => `${i % 7},${i % 5},${"abc"[i % 3]}`).join("\n")}\n`);
    const start = async (environment: Record<string, string> = {}, what = args(paths)) => {
      const command = startProgram(store, what, { HYPERTOWER_DATA: paths.data, ...environment });
      const code = await command.ended;
      return { code, errors: command.errors() };
    };
    if (target === "second") {
      const { code, errors } = await start({}, ["archive", "last", "--out", paths.archive]);
      if (code !== 0) throw new Error(errors);
    }
    const control = new Control(`${folder}.control`);
    const way = ways[Math.floor(random() * ways.length)]!;
    control.fail(way, "", Math.floor(random() * bytes));
    const first = await start(shimEnvironment({ root: target === "backups" ? join(store, "backups") : path(target), control }));
    const failures = control.failures();
    control.close();
    if (failures > 0) outcome.times++;
    for (const text of plainMessages(first.errors)) outcome.said.add(text);
    const where = `${folder}, ${name}, ${way}`;
    if (first.code === 0 && failures > 0 && (way === "full" || way === "writeError")) await compareLater();
    if (first.code !== 0 && failures === 0) outcome.different.push(`${where}: failed without a failure: ${first.errors.trim()}`);
    if (first.code !== 0 && /^ +at /m.test(first.errors)) outcome.different.push(`${where}: a stack instead of words: ${first.errors.trim()}`);
    if (first.code === null) outcome.damaged.push(`${where}: the program crashed: ${first.errors.trim()}`);
    if (first.code !== 0) {
      const left = target === "out" ? readdirSync(paths.out) : [];
      if (left.length > 0 && way !== "readOnly") outcome.damaged.push(`${where}: ${left.join(", ")} was left behind`);
      if (left.length > 0) rmSync(paths.out, { recursive: true });
      mkdirSync(paths.out, { recursive: true });
      const again = await start();
      if (again.code !== 0) outcome.different.push(`${where}: fails afterwards as well: ${again.errors.trim()}`);
    }
    if (existsSync(paths.second)) await frame.check(paths.second, [{ type: "finished", run: frame.undisturbed.id }], outcome);
    await frame.check(store, [{ type: "finished", run: frame.undisturbed.id }], outcome);
    if (problemsOf(outcome).length === 0) for (const each of [folder, store, `${folder}.control`]) rmSync(each, { recursive: true, force: true });
    return outcome;

    /** A command that claims success although writes failed must have written the same as without failures. */
    async function compareLater(): Promise<void> {
      if (target !== "out") return;
      const kept = `${paths.out}.first`;
      renameSync(paths.out, kept);
      mkdirSync(paths.out);
      const again = await start();
      const names = (of: string) => readdirSync(of, { recursive: true }).map(String).sort().join("\n");
      if (again.code !== 0 || names(kept) !== names(paths.out)) outcome.lost.push(`${where}: success was reported, and files are missing in ${kept}`);
    }
  },
});

export const commandFaults: readonly Fault[] = commands.map(failing);
