/** Signals that ask a command to end: Ctrl+C, a polite kill, a closed terminal. */
import { exitCodes } from "./session.ts";

const asking = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A second signal this soon (milliseconds) is the first one, sent twice: `timeout` signals the command and then its group. */
const sameSignal = 500;

/** Calls `asked` at the first signal; a later one ends this process at once. Returns what removes the handlers. */
export function onInterrupt(asked: () => void): () => void {
  let askedAt: number | undefined;
  const interrupt = () => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      asked();
    } else if (performance.now() - askedAt > sameSignal) process.exit(exitCodes.interrupted);
  };
  for (const signal of asking) process.on(signal, interrupt);
  return () => {
    for (const signal of asking) process.off(signal, interrupt);
  };
}
