/** `--quiet`: nothing but errors, and what a command was asked to print. */
import { printable } from "./printable.ts";

const toErrors = console.error.bind(console);

/** Prints an error, also under `--quiet`. */
export function reportError(text: string): void {
  write(process.stderr, () => toErrors(printable(text)));
}

type Write = typeof process.stdout.write;
const silent: Write = (_chunk: unknown, encoding?: unknown, done?: unknown) => {
  const after = typeof encoding === "function" ? encoding : done;
  if (typeof after === "function") process.nextTick(after as () => void);
  return true;
};

/** Calls `work` while the stream writes, whatever was silenced. */
function write(stream: NodeJS.WriteStream, work: () => void): void {
  const own = Object.hasOwn(stream, "write") ? stream.write : undefined;
  if (own !== silent) return work();
  Reflect.deleteProperty(stream, "write");
  work();
  stream.write = silent;
}

/**
 * Silences remarks, warnings and progress.
 * @param answers whether standard output is what was asked for (a table, a file, JSON) and stays
 */
export function beQuiet(answers: boolean): void {
  process.stderr.write = silent;
  Object.defineProperty(process.stderr, "isTTY", { value: false, configurable: true });
  if (!answers) process.stdout.write = silent;
}
