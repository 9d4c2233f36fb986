/** Ctrl+C, and a polite kill. */
import { exitCodes } from "./session.ts";

/** The first time `asked` is called; the second ends this process at once. Returns what forgets about it. */
export function onInterrupt(asked: () => void): () => void {
  let again = false;
  const interrupt = () => {
    if (again) process.exit(exitCodes.interrupted);
    again = true;
    asked();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
}
