/** Run-time checks of options from JavaScript. */
import { distance } from "fastest-levenshtein";

/** The option that was most likely meant: at most a third of its letters differ. */
function suggestion(name: string, allowed: readonly string[]): string {
  const [nearest] = allowed.map((option) => [distance(name.toLowerCase(), option.toLowerCase()), option] as const).sort(([a], [b]) => a - b);
  return nearest && nearest[0] <= Math.ceil(name.length / 3) ? `; did you mean ${nearest[1]}?` : ".";
}

/**
 * Checks the options of a public function against the keys of `allowed`.
 * @throws TypeError naming `where`, the unknown option and the known ones
 */
export function checkOptions<Options extends object>(where: string, given: unknown, allowed: Readonly<Record<keyof Options, true>>): void {
  const names = Object.keys(allowed);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${where}: the options are missing; give an object with ${names.join(", ")}`);
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${where}: there is no option ${unknown}${suggestion(unknown, names)} The options are ${names.join(", ")}`);
}
