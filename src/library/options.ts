/** Run-time checks of options from JavaScript. */

/** Number of edits (insertion, deletion, substitution, transposition) between two words. */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const exchange = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i]![j] = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, exchange);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1);
    }
  }
  return rows[a.length]![b.length]!;
}

function suggestion(name: string, allowed: readonly string[]): string {
  const [nearest] = allowed.map((option) => [editDistance(name.toLowerCase(), option.toLowerCase()), option] as const).sort(([a], [b]) => a - b);
  return nearest && nearest[0] <= Math.max(1, name.length / 3) ? `; did you mean ${nearest[1]}?` : ".";
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
