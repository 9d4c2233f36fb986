/** The run or study that a person means on the command line. */
import { UserError, type Services } from "../services/services.ts";

interface Findable {
  readonly id: string;
  readonly createdAt: number;
}

/**
 * The id of the run meant by an id, the beginning of one, or `last`. Runs in the bin are found too.
 * @throws UserError when there is none or more than one
 */
export function findRun(services: Services, wanted: string): Promise<string> {
  return find("run", wanted, (deleted) => services.handlers["runs.list"]({ deleted }));
}

/** The same for a study. */
export function findStudy(services: Services, wanted: string): Promise<string> {
  return find("study", wanted, (deleted) => services.handlers["studies.list"]({ deleted }));
}

async function find(one: "run" | "study", wanted: string, list: (deleted: boolean) => readonly Findable[] | Promise<readonly Findable[]>): Promise<string> {
  const many = one === "run" ? "runs" : "studies";
  const kept = await list(false);
  const all = [...kept, ...(await list(true))];
  if (wanted === "last") {
    const last = kept.reduce<Findable | undefined>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), undefined);
    if (!last) throw new UserError(`there are no ${many} yet`);
    return last.id;
  }
  const exact = all.find(({ id }) => id === wanted);
  if (exact) return exact.id;
  const matches = [...new Set(all.map(({ id }) => id).filter((id) => id.startsWith(wanted)))];
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw new UserError(`there is no ${one} ${wanted}; "hypertower ${many}" lists them`);
  throw new UserError(`${wanted} is the beginning of ${matches.length} ${many}: ${matches.slice(0, 5).join(", ")}${matches.length > 5 ? ", …" : ""}`);
}
