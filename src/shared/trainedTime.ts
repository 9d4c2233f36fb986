/** How long a run has trained: preparation, pauses and the time it lay stopped do not count. */
import { z } from "zod";
import { formatSeconds } from "./format.ts";

export const trainedTime = z.object({
  milliseconds: z.number().nonnegative(),
  /**
   * `clock`: measured while it trained. Earlier versions did not measure it; of their runs that were paused or resumed
   * it is the sum of the logged step times (`steps`), which leaves evaluations out, or the time from start to end (`span`).
   */
  from: z.enum(["clock", "steps", "span"]),
});
export type TrainedTime = z.infer<typeof trainedTime>;

const prefixes = { clock: "", steps: "≈ ", span: "at most " } as const;

/** `10 min`, `≈ 10 min`, `at most 8 h`; a dash where nothing was trained. */
export function trainedText(trained: TrainedTime | null, format = (milliseconds: number): string => formatSeconds(milliseconds / 1000)): string {
  return trained === null ? "–" : `${prefixes[trained.from]}${format(trained.milliseconds)}`;
}

/** Before a mean of several times. */
export function trainedPrefix(times: readonly (TrainedTime | null)[]): string {
  const known = new Set(times.map((time) => time?.from));
  return known.has("span") ? prefixes.span : known.has("steps") ? prefixes.steps : "";
}
