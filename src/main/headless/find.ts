/** Finds the runs and studies that a command names: by id, beginning of an id, name, or `last`. */
import { closest } from "./nearest.ts";
import { formatTime } from "./format.ts";
import { UserError, type Services } from "../services/services.ts";

interface Findable {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly status?: string;
  readonly deletedAt: number | null;
}

type Kind = "run" | "study";

/** Longest id or beginning of one. */
const maxIdLength = 64;

/** Candidates named in a message. */
const maxNamed = 5;

/**
 * Id of a run from its id, the beginning of its id, its name, or `last`. Also finds runs in the bin.
 * @throws UserError when no run matches, or more than one; it names candidates
 */
export async function findRun(services: Services, wanted: string): Promise<string> {
  const find = services.handlers["runs.find"];
  if (wanted === "last") return last("run", await find({}));
  const ids = wanted.length > maxIdLength ? [] : await find({ prefix: wanted });
  if (ids.includes(wanted)) return wanted;
  const named = await find({ name: wanted });
  if (named.length === 1) return named[0]!;
  const matches = named.length > 0 ? named : ids;
  if (matches.length === 1) return matches[0]!;
  if (matches.length > 1) throw ambiguous("run", wanted, matches, await services.handlers["runs.summaries"]({ runs: matches.slice(0, maxNamed) }));
  throw unknown("run", wanted, await everyRun(services));
}

/** Ids of several runs, each once, in the order given. */
export async function findRuns(services: Services, wanted: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const one of wanted) found.push(await findRun(services, one));
  return [...new Set(found)];
}

/** Id of a study, as findRun(). */
export async function findStudy(services: Services, wanted: string): Promise<string> {
  const kept = await services.handlers["studies.list"]({ deleted: false });
  if (wanted === "last") {
    const latest = kept.reduce<Findable | undefined>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), undefined);
    return last("study", latest ? [latest.id] : []);
  }
  const all: readonly Findable[] = [...kept, ...(await services.handlers["studies.list"]({ deleted: true }))];
  return chosen("study", wanted, all).id;
}

/** Ids of several studies, each once, in the order given. */
export async function findStudies(services: Services, wanted: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const one of wanted) found.push(await findStudy(services, one));
  return [...new Set(found)];
}

/** Chooses among all items: by id, by name (those in the bin last), then by the beginning of an id. */
function chosen(kind: Kind, wanted: string, all: readonly Findable[]): Findable {
  const exact = all.find(({ id }) => id === wanted);
  if (exact) return exact;
  const named = all.filter(({ name }) => name === wanted);
  const live = named.filter(({ deletedAt }) => deletedAt === null);
  const byName = live.length > 0 ? live : named;
  const matches = byName.length > 0 ? byName : all.filter(({ id }) => wanted !== "" && id.startsWith(wanted));
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw unknown(kind, wanted, all);
  throw ambiguous(kind, wanted, matches.map(({ id }) => id), matches);
}

const plurals = { run: "runs", study: "studies" } as const;

function last(kind: Kind, [id]: readonly string[]): string {
  if (id === undefined) throw new UserError(`there are no ${plurals[kind]} yet`);
  return id;
}

function ambiguous(kind: Kind, wanted: string, ids: readonly string[], known: readonly Findable[]): UserError {
  const described = ids.slice(0, maxNamed).map((id) => {
    const item = known.find((one) => one.id === id);
    return { path: "", message: item ? textOf(item) : id };
  });
  const more = ids.length > maxNamed ? [{ path: "", message: `… ${ids.length - maxNamed} more` }] : [];
  return new UserError(`${wanted} matches ${ids.length} ${plurals[kind]}; give one of their ids:`, [...described, ...more]);
}

const textOf = ({ id, name, status, createdAt, deletedAt }: Findable) => [id, status, formatTime(createdAt), name, ...(deletedAt === null ? [] : ["(in the bin)"])].filter(Boolean).join("  ");

function unknown(kind: Kind, wanted: string, all: readonly Findable[]): UserError {
  const near = closest(wanted, all.flatMap(({ id, name }) => (name === "" ? [id] : [id, name])), 3);
  const meant = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
  return new UserError(`there is no ${kind} ${wanted}${meant || ";"} "hypertower ${plurals[kind]}" lists them`);
}

/** The newest runs, for suggestions. */
async function everyRun(services: Services): Promise<readonly Findable[]> {
  const list = services.handlers["runs.list"];
  return [...(await list({ deleted: false, limit: 2_000 })), ...(await list({ deleted: true, limit: 2_000 }))];
}
