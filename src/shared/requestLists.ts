/** Lists of ids in requests: bounded, and each id once, so that one message is never long work. */
import { z } from "zod";

/** Ids in one request that changes what they name. */
export const maxIds = 1_000;

/** At least one id, at most `most`, none twice. */
export const idsOf = (id: z.ZodString, most = maxIds) =>
  z.array(id).min(1, "at least one id is needed").max(most, `at most ${most} ids in one request`).refine((ids) => new Set(ids).size === ids.length, "an id is there twice");

/** Ids in parts that one request takes. */
export function idParts(ids: readonly string[], most = maxIds): string[][] {
  return Array.from({ length: Math.ceil(ids.length / most) }, (_, part) => ids.slice(part * most, (part + 1) * most));
}
