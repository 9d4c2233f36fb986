/** The weights a run keeps: those of its best evaluation, and of its last. */
import { z } from "zod";
import { isText, type Experiment } from "./experiment.ts";
import { keptAs } from "./metrics.ts";
import { evaluation, type Evaluation } from "./run.ts";

export const keptNames = ["best", "last"] as const;
export type KeptName = (typeof keptNames)[number];
export const keptName = z.enum(keptNames, { error: `checkpoint must be one of: ${keptNames.join(", ")}` });

/** Weights that can be predicted from. */
export const kept = z.object({
  name: keptName,
  /** What these weights were found to do, and at which step. */
  evaluation,
  savedAt: z.number(),
  bytes: z.number().int(),
});
export type Kept = z.infer<typeof kept>;

/** Name of the file that holds them for NumPy, among those that a window can fetch of a run. */
export const weightsFile = (name: KeptName) => `weights-${name}.npz`;

/** The set on which evaluations are compared: what is held out for validation, or for want of it the test set. */
export function chosenOn({ dataset }: Pick<Experiment, "dataset">): "validation" | "test" {
  return dataset.validation > 0 ? "validation" : "test";
}

/** On what the best evaluation was chosen, in words. */
export function choiceText(experiment: Pick<Experiment, "dataset">): string {
  return choiceNote(experiment) || "chosen on validation data";
}

/** Says that a choice was made on the test set; empty where it was not. */
export function choiceNote(experiment: Pick<Experiment, "dataset">): string {
  return chosenOn(experiment) === "test" ? "chosen on the test set, for want of validation data" : "";
}

/** Scores that rank evaluations, lower first: the error of classes, the loss of everything else; then the loss. */
export function scores(of: Evaluation, experiment: Pick<Experiment, "dataset">): [number, number] {
  const set = chosenOn(experiment);
  const [error, loss] = [of[keptAs(set, "error")], of[keptAs(set, "loss")] ?? Infinity];
  return [isText(experiment) ? loss : (error ?? loss), loss];
}

/** Whether an evaluation is better than another; the earlier of two equal ones stays the best. */
export function isBetter(a: Evaluation, b: Evaluation, experiment: Pick<Experiment, "dataset">): boolean {
  const [[first, second], [thanFirst, thanSecond]] = [scores(a, experiment), scores(b, experiment)];
  return first === thanFirst ? second < thanSecond : first < thanFirst;
}
