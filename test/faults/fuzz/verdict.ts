/** Tells a refusal that a person can read from a fault of the program. */

const faults = ["TypeError", "RangeError", "ReferenceError", "SyntaxError", "EvalError", "URIError", "AssertionError", "InternalError"];

/** Maximum characters of a message that a person is shown. */
const maxMessage = 20_000;

/** What is wrong with an error that a parser threw; null for a plain refusal. */
export function faultOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return `threw ${typeof thrown}, which is no Error`;
  for (let cause: unknown = thrown; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && cause.code === "ERR_ACCESS_DENIED") return `wrote outside its folder: ${cause.message}`;
  }
  if (faults.includes(thrown.name) || faults.includes(thrown.constructor.name)) return `${thrown.name}: ${thrown.message}\n${place(thrown)}`;
  if (thrown.message.trim() === "") return `an error without a message\n${place(thrown)}`;
  if (thrown.message.length > maxMessage) return `a message of ${thrown.message.length} characters: ${thrown.message.slice(0, 200)}`;
  // A wrapped error is a fault where our own code made it; those of libraries and of JSON.parse() are refusals.
  return thrown.cause instanceof Error && faults.includes(thrown.cause.name) && madeHere(thrown.cause) ? `${thrown.message}, caused by ${thrown.cause.name}\n${place(thrown.cause)}` : null;
}

const frames = (error: Error) => (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
const madeHere = (error: Error) => /[/\\]src[/\\]/.test(frames(error)[0] ?? "") && !/node_modules/.test(frames(error)[0]!);
const place = (error: Error) => frames(error).slice(0, 4).join("\n");
