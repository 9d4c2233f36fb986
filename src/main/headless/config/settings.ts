/** What the configuration file may set, and the environment variables and options of the same meaning. */
import { z } from "zod";
import { engineChoices } from "../../../shared/engines.ts";
import { maxCohort, maxWorkers } from "../../../shared/limits.ts";
import { chartThemeNames } from "../../../shared/reports.ts";
import { stepEvents } from "../stepEvents.ts";

export interface Setting {
  /** Path in the file, with a point between section and name. */
  readonly key: string;
  readonly environment: string;
  readonly schema: z.ZodType;
  /** What is allowed, for messages. */
  readonly allowed: string;
  readonly help: string;
  /** Commands and their option that this sets; none for a setting of the whole program. */
  readonly commands: readonly string[];
  readonly option: string;
}

const whole = (min: number, max: number) => ({ schema: z.number().int().min(min).max(max), allowed: `a whole number from ${min} to ${max}` });
const text = (allowed: string) => ({ schema: z.string().trim().min(1).max(1_000), allowed });
const list = { schema: z.array(z.string().min(1).max(200)).min(1).max(100), allowed: 'a list of keys, such as ["run", "status", "alpha"]' };
const oneOf = (names: readonly string[]) => ({ schema: z.enum(names as [string, ...string[]]), allowed: names.join(", ") });

export const settings: readonly Setting[] = [
  { key: "store", environment: "HYPERTOWER_HOME", ...text("the path of a folder"), help: "folder of the store", commands: [], option: "store" },
  { key: "data", environment: "HYPERTOWER_DATA", ...text("the path of a folder"), help: "folder of the datasets", commands: [], option: "" },
  { key: "train.engine", environment: "HYPERTOWER_ENGINE", ...oneOf(engineChoices), help: "engine of new runs", commands: ["train"], option: "engine" },
  { key: "train.stepEvents", environment: "HYPERTOWER_STEP_EVENTS", schema: stepEvents, allowed: "all, none, or milliseconds from 1 to 3600000", help: "step events of --json", commands: ["train", "resume", "rerun", "study"], option: "stepEvents" },
  { key: "study.workers", environment: "HYPERTOWER_WORKERS", ...whole(1, maxWorkers), help: "runs of a study trained at the same time", commands: ["study", "table1"], option: "workers" },
  { key: "study.cohort", environment: "HYPERTOWER_COHORT", schema: z.union([z.literal("auto"), z.number().int().min(1).max(maxCohort)]), allowed: `auto, or a whole number from 1 to ${maxCohort}`, help: "runs trained as one program", commands: ["study"], option: "cohort" },
  { key: "study.on", environment: "HYPERTOWER_ON", ...text("a fleet, such as slurm:gpu; no password"), help: "where studies train", commands: ["study"], option: "on" },
  { key: "runs.columns", environment: "HYPERTOWER_RUNS_COLUMNS", ...list, help: "columns of the list of runs", commands: ["runs list"], option: "columns" },
  { key: "runs.sort", environment: "HYPERTOWER_RUNS_SORT", ...text("KEY, KEY:asc or KEY:desc"), help: "order of the list of runs", commands: ["runs list"], option: "sort" },
  { key: "runs.limit", environment: "HYPERTOWER_RUNS_LIMIT", ...whole(1, 1_000_000), help: "length of the list of runs", commands: ["runs list"], option: "limit" },
  { key: "studies.columns", environment: "HYPERTOWER_STUDIES_COLUMNS", ...list, help: "columns of the list of studies", commands: ["studies list"], option: "columns" },
  { key: "studies.sort", environment: "HYPERTOWER_STUDIES_SORT", ...text("KEY, KEY:asc or KEY:desc"), help: "order of the list of studies", commands: ["studies list"], option: "sort" },
  { key: "report.theme", environment: "HYPERTOWER_REPORT_THEME", ...oneOf(chartThemeNames), help: "theme of figures", commands: ["report", "runs compare"], option: "theme" },
  { key: "report.scale", environment: "HYPERTOWER_REPORT_SCALE", schema: z.number().min(0.5).max(8), allowed: "a number from 0.5 to 8", help: "PNG pixels per figure pixel", commands: ["report"], option: "scale" },
  { key: "serve.port", environment: "HYPERTOWER_PORT", ...whole(0, 65_535), help: "port of the workbench in a browser", commands: ["serve"], option: "port" },
];

export const settingKeys: readonly string[] = settings.map(({ key }) => key);
export const findSetting = (key: string): Setting | undefined => settings.find((setting) => setting.key === key);

/** Whether a setting concerns a command, by its path (`runs list`). */
export const concerns = ({ commands }: Setting, command: string): boolean => commands.includes(command);

/** A value as typed: JSON, or a text, or a list with commas. Undefined where it is not allowed. */
export function parseTyped({ schema }: Setting, typed: string): unknown {
  const candidates: unknown[] = [typed];
  try {
    candidates.unshift(JSON.parse(typed));
  } catch {
    // A text or a list.
  }
  candidates.push(typed.split(",").map((part) => part.trim()).filter((part) => part !== ""));
  for (const candidate of candidates) {
    const parsed = schema.safeParse(candidate);
    if (parsed.success) return parsed.data;
  }
  return undefined;
}
