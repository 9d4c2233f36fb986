/** Checks tags given as options. */
import { tag, tagRule } from "../../shared/tags.ts";
import { UserError } from "../services/services.ts";

/** @throws UserError for the first that is none */
export function requireTags(option: string, tags: readonly string[]): void {
  const wrong = tags.find((name) => !tag.safeParse(name).success);
  if (wrong !== undefined) throw new UserError(`${option} ${wrong}: a tag has ${tagRule}`);
}
