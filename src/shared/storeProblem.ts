/** Why the store cannot be written at present, and the request that saves a copy of one whose file is gone. */
import { z } from "zod";

export const storeProblem = z.object({
  /**
   * `unwritable`: writes fail; `missing`: the file is gone; `replaced`: another file has its name. All runs are paused meanwhile.
   * `readOnly`: the store was opened only for reading.
   */
  kind: z.enum(["unwritable", "missing", "replaced", "readOnly"]),
  /** For people. */
  message: z.string(),
});
export type StoreProblem = z.infer<typeof storeProblem>;

/** Whether a copy can and should be saved: the open file has lost its name, so it ends with this process. */
export const needsCopy = ({ kind }: StoreProblem): boolean => kind === "missing" || kind === "replaced";

export const storeRequests = {
  /** Saves the open store as a new folder. Refused unless its file is missing or replaced. */
  "store.saveCopy": { input: z.strictObject({}).default({}), output: z.object({ folder: z.string() }) },
} as const;

export const storeEvents = {
  /** Writing the store began to fail, failed for another reason, or works again (null). */
  "store.problem": z.object({ problem: storeProblem.nullable() }),
} as const;
