/** Asks before something is moved or erased. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../services/services.ts";

/** Whether the answer on the terminal matches. @throws UserError where nobody can answer */
export async function confirmed(question: string, yes: RegExp): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UserError(`${question.slice(0, question.lastIndexOf("?"))} needs a confirmation: add --yes`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return yes.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
