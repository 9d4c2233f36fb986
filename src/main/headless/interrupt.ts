/** Ctrl+C, a polite kill, a closed terminal, and a reader of the output that has gone. */
import { exitCodes } from "./exitCodes.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Schedulers and `timeout` signal a process and its whole group: what follows within so many milliseconds is the same request. */
const sameRequest = 1_000;

const asking = new Set<() => void>();

let closed = false;

/** Calls `asked` at the first interruption; one more ends this process at once. Returns an unsubscribe function. */
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
 * Nobody reads standard output any more (`hypertower runs | head`). A command that trains stops its runs with a
 * checkpoint and ends as interrupted; any other has no more to do.
 */
export function outputClosed(): void {
  // Every later line finds the same closed output.
  if (closed) return;
  closed = true;
  if (asking.size === 0) process.exit(exitCodes.ok);
  for (const ask of asking) ask();
}
