/** Tags as one text, for a prompt: `paper -draft` adds one and removes one. */
import { tag as tagSchema, tagRule } from "@shared/tags.ts";

export interface TagChange {
  readonly add: string[];
  readonly remove: string[];
}

/** A message for people where a word is no tag. */
export function readTagChange(text: string): TagChange | string {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const remove = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  const add = words.filter((word) => !word.startsWith("-"));
  const wrong = [...add, ...remove].find((word) => !tagSchema.safeParse(word).success);
  if (wrong !== undefined) return `${wrong === "" ? "-" : wrong} is not a tag: ${tagRule}.`;
  if (words.length === 0) return "Write tags to add, or -tags to remove.";
  return { add: [...new Set(add)], remove: [...new Set(remove)] };
}
