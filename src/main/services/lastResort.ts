/** Ends the process after an error that nothing has handled, once what is pending is safe. Loads nothing: every command starts with it. */
import { messageOf } from "../../shared/errors.ts";
import { record } from "../logs/hostLog.ts";

/** Writes what is pending, synchronously. Returns what a person should know. */
type Rescue = (why: string) => readonly string[];

const rescues = new Set<Rescue>();

/** Has `rescue` called before the process ends for an unhandled error. Returns an unsubscribe function. */
export function onLastResort(rescue: Rescue): () => void {
  rescues.add(rescue);
  return () => rescues.delete(rescue);
}

/** Handles errors that nothing else has. @param end shows the lines and ends the process with a code other than 0 */
export function guardProcess(end: (lines: readonly string[]) => void): void {
  let ending = false;
  const handle = (error: unknown) => {
    // Also for an error in what follows.
    if (ending) return;
    ending = true;
    const why = messageOf(error);
    const lines = [`Hypertower ends because of an error in itself: ${why}`];
    record("error", "the process ends because of an error that nothing handled", { error });
    for (const rescue of rescues) lines.push(...rescue(why));
    if (error instanceof Error && error.stack !== undefined) lines.push(error.stack);
    end(lines);
  };
  process.on("uncaughtException", handle);
  process.on("unhandledRejection", handle);
}
