/** `hypertower runs|studies delete`, `restore`, `rename` and `tag`: what the window's services do, for one or many. */
import { idParts } from "../../../shared/requestLists.ts";
import { nounFor, plural } from "../../../shared/text.ts";
import { UserError, type Services } from "../../services/services.ts";
import { requireTags } from "../tags.ts";
import { confirmed } from "../confirm.ts";
import { findRun, findRuns, findStudies, findStudy } from "../find.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export type Kind = "run" | "study";

export interface ManageOptions {
  readonly store?: string;
  readonly json?: boolean;
}

interface Item {
  readonly id: string;
  readonly name: string;
  readonly deletedAt: number | null;
  readonly tags?: readonly string[] | undefined;
}

const plurals = { run: "runs", study: "studies" } as const;
const counted = (kind: Kind, count: number) => plural(count, kind, plurals[kind]);
const titled = ({ id, name }: Item) => (name === "" ? id : `${name} (${id})`);

/** Names of the items for a question; many are counted. */
const listed = (items: readonly Item[]) => `${items.slice(0, 5).map(titled).join(", ")}${items.length > 5 ? ` and ${items.length - 5} more` : ""}`;

async function itemsOf(services: Services, kind: Kind, wanted: readonly string[]): Promise<Item[]> {
  const ids = kind === "run" ? await findRuns(services, wanted) : await findStudies(services, wanted);
  const items: Item[] = [];
  for (const id of ids) items.push(await (kind === "run" ? services.handlers["runs.get"]({ run: id }) : services.handlers["studies.get"]({ study: id })));
  return items;
}

/** Changes items in requests of bounded size. */
async function inParts<T>(ids: readonly string[], change: (ids: string[]) => T[] | Promise<T[]>): Promise<T[]> {
  const changed: T[] = [];
  for (const part of idParts(ids)) changed.push(...(await change(part)));
  return changed;
}

function report(kind: Kind, json: boolean | undefined, done: string, items: readonly Item[]): number {
  console.log(json ? JSON.stringify({ done, [plurals[kind]]: items.map(({ id, name, tags = [], deletedAt }) => ({ id, name, tags, deletedAt })) }) : done);
  return exitCodes.ok;
}

/** Moves runs or studies to the bin, after a confirmation. */
export function remove(programFiles: ProgramFiles, kind: Kind, wanted: readonly string[], options: ManageOptions & { readonly yes?: boolean; readonly withRuns?: boolean }): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const items = (await itemsOf(services, kind, wanted)).filter(({ deletedAt }) => deletedAt === null);
    if (items.length === 0) return report(kind, options.json, `${wanted.length === 1 ? "It is" : "They are"} in the bin already.`, []);
    const withRuns = options.withRuns ? ` with ${nounFor(items.length, "its", "their")} runs` : "";
    const question = `Move ${counted(kind, items.length)}${withRuns} to the bin: ${listed(items)}`;
    if (!options.yes && !(await confirmed(`${question}? [y/N] `, /^y(es)?$/i))) {
      console.error("Nothing was moved.");
      return exitCodes.error;
    }
    const ids = items.map(({ id }) => id);
    const changed: Item[] =
      kind === "run"
        ? await inParts(ids, (part) => services.handlers["runs.delete"]({ runs: part }))
        : await inParts(ids, (part) => services.handlers["studies.delete"]({ studies: part, withRuns: options.withRuns ?? false }));
    const back = ids.length === 1 ? ids[0]! : `<${plurals[kind]}>`;
    return report(kind, options.json, `Moved ${counted(kind, ids.length)}${withRuns} to the bin. "hypertower ${plurals[kind]} restore ${back}" brings ${nounFor(ids.length, "it", "them")} back; "hypertower erase --bin" erases the bin.`, changed);
  });
}

export function restore(programFiles: ProgramFiles, kind: Kind, wanted: readonly string[], options: ManageOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const items = await itemsOf(services, kind, wanted);
    const inBin = items.filter(({ deletedAt }) => deletedAt !== null);
    const [kept] = items.filter(({ deletedAt }) => deletedAt === null);
    if (inBin.length === 0 && kept) throw new UserError(`${titled(kept)} is not in the bin`);
    const ids = inBin.map(({ id }) => id);
    const changed: Item[] =
      kind === "run" ? await inParts(ids, (part) => services.handlers["runs.restore"]({ runs: part })) : await inParts(ids, (part) => services.handlers["studies.restore"]({ studies: part }));
    return report(kind, options.json, `Restored ${counted(kind, ids.length)}: ${listed(inBin)}.`, changed);
  });
}

export async function rename(programFiles: ProgramFiles, kind: Kind, wanted: string, name: string, options: ManageOptions): Promise<number> {
  const trimmed = name.trim();
  if (trimmed === "" || trimmed.length > 200) throw new UserError("a name has 1 to 200 characters");
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const id = kind === "run" ? await findRun(services, wanted) : await findStudy(services, wanted);
    const item = kind === "run" ? await services.handlers["runs.rename"]({ run: id, name: trimmed }) : await services.handlers["studies.rename"]({ study: id, name: trimmed });
    return report(kind, options.json, `Renamed ${id} to ${trimmed}.`, [item]);
  });
}

/** Adds and removes tags, or shows them where neither is asked for. */
export async function tag(programFiles: ProgramFiles, kind: Kind, wanted: readonly string[], options: ManageOptions & { readonly add: readonly string[]; readonly remove: readonly string[] }): Promise<number> {
  requireTags("--add", options.add);
  requireTags("--remove", options.remove);
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const items = await itemsOf(services, kind, wanted);
    const { add, remove: gone } = options;
    if (add.length + gone.length === 0) {
      for (const item of items) console.log(options.json ? JSON.stringify({ id: item.id, tags: item.tags ?? [] }) : `${titled(item)}: ${item.tags?.join(" ") ?? "no tags"}`);
      return exitCodes.ok;
    }
    const request = { add: [...new Set(add)], remove: [...new Set(gone)] };
    const ids = items.map(({ id }) => id);
    const changed: Item[] =
      kind === "run" ? await inParts(ids, (part) => services.handlers["runs.tag"]({ runs: part, ...request })) : await inParts(ids, (part) => services.handlers["studies.tag"]({ studies: part, ...request }));
    return report(kind, options.json, changed.map((item) => `${titled(item)}: ${item.tags?.join(" ") ?? "no tags"}`).join("\n"), changed);
  });
}
