/** Handles interruptions: SIGINT, SIGTERM, SIGHUP, and a closed standard output. */
import { exitCodes } from "./exitCodes.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Schedulers and `timeout` signal a process and its group: further signals within these milliseconds count as the same request. */
const sameRequest = 1_000;

const asking = new Set<() => void>();

let closed = false;

/** Calls `asked` at the first interruption; a second one ends this process at once. Returns an unsubscribe function. */
export function onInterrupt(asked: () => void): () => void {
  let first: number | undefined;
  const ask = () => {
    first ??= performance.now();
    asked();
  };
  const interrupt = () => {
    if (first === undefined) ask();
    else if (performance.now() - first > sameRequest) process.exit(exitCodes.interrupted);
  };
  const readerGone = () => {
    if (first === undefined) ask();
  };
  for (const signal of signals) process.on(signal, interrupt);
  asking.add(readerGone);
  return () => {
    for (const signal of signals) process.off(signal, interrupt);
    asking.delete(readerGone);
  };
}

/**
 * Call when nobody reads standard output any more (`hypertower runs | head`). A command that trains stops its runs
 * with a checkpoint and ends as interrupted; any other command ends at once.
 */
export function outputClosed(): void {
  // Every later line fails in the same way.
  if (closed) return;
  closed = true;
  if (asking.size === 0) process.exit(exitCodes.ok);
  for (const ask of asking) ask();
}
