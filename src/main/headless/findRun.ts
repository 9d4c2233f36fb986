/** The run that a person means on the command line. */
import { UserError, type Services } from "../services/services.ts";

/**
 * The id of the run meant by an id, the beginning of one, or `last`. Runs in the bin are found too.
 * @throws UserError when there is none or more than one
 */
export async function findRun(services: Services, wanted: string): Promise<string> {
  const kept = await services.handlers["runs.list"]({ deleted: false });
  const all = [...kept, ...(await services.handlers["runs.list"]({ deleted: true }))];
  if (wanted === "last") {
    const last = kept.reduce<(typeof kept)[number] | undefined>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), undefined);
    if (!last) throw new UserError("there are no runs yet");
    return last.id;
  }
  const exact = all.find(({ id }) => id === wanted);
  if (exact) return exact.id;
  const matches = [...new Set(all.map(({ id }) => id).filter((id) => id.startsWith(wanted)))];
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw new UserError(`there is no run ${wanted}; "hypertower runs" lists them`);
  throw new UserError(`${wanted} is the beginning of ${matches.length} runs: ${matches.slice(0, 5).join(", ")}${matches.length > 5 ? ", …" : ""}`);
}
