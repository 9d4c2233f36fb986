/** Options that several commands share, and parsers of their values. */
import { InvalidArgumentError, Option } from "commander";
import { maxInterval, type StepEvents } from "./stepEvents.ts";
import { keptNames } from "../../shared/kept.ts";

export const storeOption = ["--store <folder>", "folder of the store (default: HYPERTOWER_HOME, or the system's place for application data)"] as const;
export const jsonLinesOption = ["--json", "one JSON object a line"] as const;
export const oneJsonOption = ["--json", "one JSON object"] as const;
export const yesOption = ["-y, --yes", "do not ask"] as const;

export const runArgument = 'id of a run, its beginning, its name, or "last"';
export const studyArgument = 'id of a study, its beginning, its name, or "last"';

function parseStepEvents(text: string): StepEvents {
  if (text === "all" || text === "none") return text;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > maxInterval) throw new InvalidArgumentError(`Allowed: all, none, or milliseconds from 1 to ${maxInterval}.`);
  return value;
}

export const stepEventsOption = ["--step-events <often>", "with --json: report every step (all), none, or one at most every so many milliseconds (default: 1000)", parseStepEvents] as const;

export const collect = (value: string, earlier: readonly string[]) => [...earlier, value];

/** `a,b` and repeated options alike. */
export const collectList = (value: string, earlier: readonly string[]) => [...earlier, ...value.split(",").map((part) => part.trim()).filter((part) => part !== "")];

export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > max) throw new InvalidArgumentError(`Allowed: 1 to ${max}.`);
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("Allowed: numbers above 0.");
  return value;
}

export const checkpointOption = (what = "weights of the best evaluation or of the last") => new Option("--checkpoint <which>", what).choices([...keptNames]).default("best");
