/** A run under a condition that begins and ends while it is trained, and that it has to outlast by itself. */
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { startHost, type Command } from "./command.ts";
import { delay, type Frame } from "./frame.ts";
import { newOutcome, plainMessages, type Outcome } from "./outcome.ts";
import { Control, shimEnvironment } from "./shim/shim.ts";

/** Milliseconds within which a run ends after the last blow. */
const patience = 180_000;

export interface Condition {
  /** Begins the condition. Resolves once it was felt; false where it was not. */
  readonly begin: (command: Command) => Promise<boolean>;
  readonly end: () => void;
}

/**
 * Trains a run through some blows in one process, which may neither fail nor be resumed.
 * @param conditionOf gets the store's folder and the shim's control
 */
export async function outlast(frame: Frame, random: () => number, conditionOf: (store: string, control: Control) => Condition, usesShim = true): Promise<Outcome> {
  const outcome = newOutcome();
  const store = frame.newStore();
  const control = new Control(`${store}.control`);
  const condition = conditionOf(store, control);
  const command = startHost(store, { train: frame.experiment }, usesShim ? shimEnvironment({ root: store, control }) : {});
  const timer = setTimeout(() => command.signal("all", "SIGKILL"), patience);
  for (let blow = 0; blow < frame.blows && !command.isOver(); blow++) {
    if (!(await frame.moment(command, random))) break;
    const isFelt = await condition.begin(command);
    await delay(1_500 * random());
    condition.end();
    if (isFelt) outcome.times++;
  }
  const code = await command.ended;
  clearTimeout(timer);
  control.close();
  rmSync(control.path);
  for (const text of plainMessages(command.errors())) outcome.said.add(text);
  const copies = savedCopies(store);
  for (const copy of copies) {
    await frame.check(copy, command.lines, outcome);
    rmSync(copy, { recursive: true });
  }
  // A run may end while the store is gone: then all of it is in the copy that the program names.
  const isBegun = command.lines.some(({ type }) => type === "started");
  if (code !== 0 && isBegun && copies.length === 0) outcome.different.push(`${store}: the run does not go on by itself (exit code ${code}): ${command.errors().trim()}`);
  await frame.complete(store, command.lines, outcome);
  return outcome;
}

/** Copies that the program saved of a store whose file was gone. */
function savedCopies(store: string): string[] {
  const folder = dirname(store);
  return readdirSync(folder).filter((name) => name.startsWith(`${basename(store)}-saved-`)).map((name) => join(folder, name));
}

/** Polls until something holds, for a time at most. */
export async function within(milliseconds: number, holds: () => boolean): Promise<boolean> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(10)) if (holds()) return true;
  return holds();
}
