/** Definitions in an exported file: one for groups that share it, and a name of its own for each that does not. */
import type { LearnedPart } from "./learned.ts";

interface Defined {
  readonly maker: string;
  readonly definition?: (name: string) => string;
  /** Functions that the definition calls. */
  readonly helpers?: readonly string[];
}

/** The Python to define, and what makes each part's optimizer. */
export function definitionsOf(parts: readonly Pick<LearnedPart, "suffix">[], rules: readonly Defined[]): { readonly texts: readonly string[]; readonly makers: readonly string[] } {
  const named = new Map<string, string>();
  const makers = rules.map(({ maker, definition }, i) => {
    if (!definition) return maker;
    const same = [...named].find(([name, text]) => definition(name) === text);
    const name = same?.[0] ?? (named.has(maker) ? `${maker}${parts[i]!.suffix.toLowerCase()}` : maker);
    named.set(name, definition(name));
    return name;
  });
  return { texts: [...new Set(rules.flatMap(({ helpers = [] }) => helpers)), ...named.values()], makers };
}
