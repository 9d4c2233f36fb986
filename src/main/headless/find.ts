/** Finds the run or study that a command names. */
import { UserError, type Services } from "../services/services.ts";

interface Findable {
  readonly id: string;
  readonly createdAt: number;
}

/**
 * Id of a run from its id, the beginning of its id, or `last`. Also finds runs in the bin.
 * @throws UserError when no run matches, or more than one
 */
export async function findRun(services: Services, wanted: string): Promise<string> {
  if (wanted === "last") return chosen("run", wanted, await services.handlers["runs.find"]({}));
  // Longer than any id.
  return chosen("run", wanted, wanted.length > 64 ? [] : await services.handlers["runs.find"]({ prefix: wanted }));
}

/** Id of a study, as findRun(). */
export async function findStudy(services: Services, wanted: string): Promise<string> {
  const kept = await services.handlers["studies.list"]({ deleted: false });
  if (wanted === "last") {
    const last = kept.reduce<Findable | undefined>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), undefined);
    return chosen("study", wanted, last ? [last.id] : []);
  }
  const ids = [...kept, ...(await services.handlers["studies.list"]({ deleted: true }))].map(({ id }) => id);
  return chosen("study", wanted, ids.filter((id) => id.startsWith(wanted)));
}

/** Chooses among the ids that begin with `wanted`. */
function chosen(kind: "run" | "study", wanted: string, ids: readonly string[]): string {
  const plural = kind === "run" ? "runs" : "studies";
  const matches = [...new Set(ids)];
  if (wanted === "last") {
    if (matches.length === 0) throw new UserError(`there are no ${plural} yet`);
    return matches[0]!;
  }
  if (matches.includes(wanted)) return wanted;
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw new UserError(`there is no ${kind} ${wanted}; "hypertower ${plural}" lists them`);
  throw new UserError(`${wanted} matches ${matches.length} ${plural}: ${matches.slice(0, 5).join(", ")}${matches.length > 5 ? ", …" : ""}`);
}
