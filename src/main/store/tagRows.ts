/** Tags as stored: a JSON list, or NULL for none. */
import type { Database } from "better-sqlite3";
import { changedTags, maxTags, tags as tagList } from "../../shared/tags.ts";

/** The tags of a row, for a spread; nothing for none. A list that cannot be read counts as none. */
export function tagsOf(stored: string | null | undefined): { tags?: string[] } {
  if (stored === null || stored === undefined) return {};
  try {
    const parsed = tagList.safeParse(JSON.parse(stored));
    return parsed.success && parsed.data.length > 0 ? { tags: parsed.data } : {};
  } catch {
    return {};
  }
}

export const storedTags = (tags: readonly string[] | undefined): string | null => (tags && tags.length > 0 ? JSON.stringify(tags) : null);

export class TooManyTags extends Error {}

/** Adds and removes tags of rows. Call within a transaction. @throws TooManyTags naming the row; nothing may be kept then */
export function changeTags(db: Database, table: "runs" | "studies", ids: readonly string[], add: readonly string[], remove: readonly string[]): void {
  const read = db.prepare<[string], string | null>(`SELECT tags FROM ${table} WHERE id = ?`).pluck();
  const write = db.prepare<[string | null, string]>(`UPDATE ${table} SET tags = ? WHERE id = ?`);
  for (const id of ids) {
    const before = tagsOf(read.get(id)).tags ?? [];
    const after = changedTags(before, add, remove);
    if (after.length > maxTags) throw new TooManyTags(`${id} would have ${after.length} tags; at most ${maxTags} are allowed.`);
    if (after.join(" ") !== before.join(" ")) write.run(storedTags(after), id);
  }
}

/** Whether a store of any layout has tags. */
export const knowsTags = (db: Database): boolean => db.prepare("SELECT 1 FROM pragma_table_info('runs') WHERE name = 'tags'").get() !== undefined;
