/** Tags of runs and studies: short words that a person gives them. */
import { z } from "zod";

export const maxTagLength = 40;
export const maxTags = 20;

/** What a tag may consist of, for messages. */
export const tagRule = `letters, digits and . _ : / + - without spaces, at most ${maxTagLength} characters`;

export const tag = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N}._:/+-]{0,39}$/u, `not a tag: ${tagRule}`);

/** In alphabetical order, each once. */
export const tags = z.array(tag).max(maxTags, `at most ${maxTags} tags`);

/** Tags after some were added and others removed: sorted, each once. */
export function changedTags(now: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  const kept = new Set([...now, ...add]);
  for (const gone of remove) kept.delete(gone);
  return [...kept].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** All tags of a list, the most used first. */
export function tagsInUse(items: readonly { readonly tags?: readonly string[] | undefined }[]): string[] {
  const counts = new Map<string, number>();
  for (const { tags: given = [] } of items) for (const name of given) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}
