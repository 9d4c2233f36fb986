/** How often `--json` reports steps: every one, never, or at most once in some milliseconds. */
import { z } from "zod";

export const maxInterval = 3_600_000;
export const stepEvents = z.union([z.enum(["all", "none"]), z.number().int().min(1).max(maxInterval)]);
export type StepEvents = z.infer<typeof stepEvents>;

/** Milliseconds between step events of a run, unless it is said otherwise. */
export const defaultStepEvents: StepEvents = 1_000;
