/** The origin of a report's figures, as short footers and in full. */
import type { Experiment } from "../../../shared/experiment.ts";
import { modelText } from "../../../shared/models/text.ts";
import type { Environment, RunDetail } from "../../../shared/run.ts";
import type { Study } from "../../../shared/study/study.ts";
import { notation } from "../../../shared/tower.ts";
import { formatCount } from "../../../shared/format.ts";
import { nounFor, plural } from "../../../shared/text.ts";

/** The program that made a report. */
export interface Program {
  readonly version: string;
}

/** Numbers in a row as people write them: `0 to 3`, `0, 2, 5`. */
export function spelled(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const inRow = sorted.length > 2 && sorted.every((value, i) => i === 0 || value === sorted[i - 1]! + 1);
  return inRow ? `${sorted[0]!} to ${sorted.at(-1)!}` : sorted.join(", ");
}

const named = (values: readonly number[], what: string) => `${nounFor(values.length, what)} ${spelled(values)}`;

/** Dataset, model, batches and epochs: `mnist 60,000 · mlp 128 tanh/tanh · batches of 256 · 5 epochs`. */
export function setup({ dataset, model, batchSize, budget, shuffle }: Experiment): string {
  return [`${dataset.kind} ${formatCount(dataset.trainExamples)}`, modelText(model), `batches of ${batchSize}${shuffle ? "" : ", not shuffled"}`, plural(budget.epochs, "epoch")].join(" · ");
}

const day = (at: number) => new Date(at).toISOString().slice(0, 10);

/** The distinct programs that trained: `Hypertower 0.1.0 (commit 1a2b3c4d)`. */
export function trainedBy(environments: readonly Environment[], { version }: Program): string {
  const names = environments.map(({ hypertower, gitCommit }) => `Hypertower ${hypertower}${gitCommit ? ` (commit ${gitCommit.slice(0, 8)})` : ""}`);
  return [...new Set(names)].join(", ") || `Hypertower ${version}`;
}

export function studyFooter(study: Study, { name, id, at }: { readonly name: string; readonly id: string; readonly at: number }, environments: readonly Environment[], program: Program): string[] {
  const towers = study.methods ? plural(study.methods.list.length, "method") : study.stacks ? plural(study.stacks.length, "stack") : study.heights ? `${named(study.heights.values, "height")}, upper levels ${study.heights.rule.kind}` : notation(study.base.tower);
  return [
    [name || "Study", towers, ...(study.safe ? ["safe"] : []), named(study.seeds, "seed"), setup(study.base)].join(" · "),
    [trainedBy(environments, program), day(at), `study ${id}`].join(" · "),
  ];
}

export function runFooter(run: RunDetail, program: Program): string[] {
  return [
    [run.stack, setup(run.experiment), `seed ${run.experiment.seed}`].join(" · "),
    [trainedBy(run.environment ? [run.environment] : [], program), day(run.finishedAt ?? run.createdAt), `run ${run.id}`].join(" · "),
  ];
}
