/** Logs that a person can send. */
import { z } from "zod";
import { downloadPrefix } from "./reports.ts";

export const logsRequests = {
  /** What a file of logs would hold, and its address on the window's host. Nothing is sent anywhere. */
  "logs.describe": {
    input: z.strictObject({}).default({}),
    output: z.object({
      files: z.array(z.object({ name: z.string(), what: z.string(), bytes: z.number().int() })),
      path: z.string(),
      filename: z.string(),
    }),
  },
} as const;

const logsPrefix = `${downloadPrefix}logs/`;

/** Path of the file; its last part is only the suggested file name. */
export const logsPath = (filename: string): string => `${logsPrefix}${encodeURIComponent(filename)}`;

export const isLogsPath = (path: string): boolean => path.startsWith(logsPrefix) && !path.slice(logsPrefix.length).includes("/");
