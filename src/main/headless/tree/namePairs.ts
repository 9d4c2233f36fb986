/** Options of the form NAME=VALUE that may be repeated. */
import { InvalidArgumentError } from "commander";
import { fillings, type Filling } from "../../../shared/models/graph.ts";

function parts(text: string, form: string): [string, string] {
  const at = text.lastIndexOf("=");
  const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 0 || name === "" || value === "") throw new InvalidArgumentError(`Expected ${form}.`);
  return [name, value];
}

/** `A=B`: A is another name of B. */
export function namePair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, value] = parts(text, "NAME=NAME, such as lm_head.weight=wte.weight");
  return { ...before, [name]: value };
}

export function fillingPair(text: string, before: Readonly<Record<string, Filling>> = {}): Record<string, Filling> {
  const [name, value] = parts(text, `NAME=${fillings.join("|")}`);
  const filling = fillings.find((one) => one === value);
  if (!filling) throw new InvalidArgumentError(`${value} is no filling; allowed: ${fillings.join(", ")}.`);
  return { ...before, [name]: filling };
}
