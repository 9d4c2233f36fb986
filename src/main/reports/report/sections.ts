/** Parts of a report that studies and runs share. */
import { dataFacts } from "../../../shared/datasets.ts";
import { isText, type Experiment } from "../../../shared/experiment.ts";
import { startingText } from "../../../shared/startingWeights.ts";
import { modelText } from "../../../shared/models/text.ts";
import type { Environment } from "../../../shared/run.ts";
import { notation } from "../../../shared/tower.ts";
import { formatCount } from "../../../shared/format.ts";
import { plural } from "../../../shared/text.ts";
import { symbolsOf } from "../../../shared/texts.ts";
import { html, type Html } from "./markup.ts";
import type { Program } from "./origin.ts";

export function definitions(entries: readonly (readonly [string, string | Html])[]): Html {
  return html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/**
 * The settings of a part of an experiment, from its fields: `kind mlp, hidden 128, activation
 * tanh`.
 */
function settings(part: Readonly<Record<string, unknown>>): string {
  return Object.entries(part)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === "number" ? formatCount(value) : typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

/** `MNIST: 12,800 of 60,000 training and 10,000 test examples, 10 % of the first held out (split seed 0), shifted by up to 4 pixels`. */
function data(experiment: Experiment): string {
  const { trainExamples, testExamples, validation, splitSeed, augmentation, kind } = experiment.dataset;
  const facts = dataFacts(experiment.dataset);
  const share = (used: number, all: number) => (used === all ? formatCount(all) : `${formatCount(used)} of ${formatCount(all)}`);
  return [
    `${facts.title}: ${share(trainExamples, facts.trainExamples)} training and ${share(testExamples, facts.testExamples)} test ${isText(experiment) ? symbolsOf(experiment.dataset.facts) : "examples"}`,
    ...(validation > 0 ? [`${Number((100 * validation).toPrecision(4))} % of the training examples held out`] : []),
    ...(validation > 0 || experiment.dataset.facts ? [`split seed ${splitSeed}`] : []),
    ...(augmentation.crop > 0 ? [`shifted by up to ${plural(augmentation.crop, "pixel")}`] : []),
    ...(augmentation.flip ? ["mirrored at random"] : []),
    ...(kind.startsWith("own/") ? [kind] : []),
  ].join(", ");
}

export function configuration(experiment: Experiment, seeds: string): [string, string][] {
  const { model, tower, batchSize, shuffle, budget, engine, weights } = experiment;
  return [
    ["Dataset", data(experiment)],
    ["Model", modelText(model)],
    ...(weights ? [["Weights", startingText(weights)] satisfies [string, string]] : []),
    ["Tower", notation(tower)],
    ["Batches", `${plural(batchSize, "example")} each${shuffle ? "" : ", the same ones in every epoch"}`],
    ["Budget", plural(budget.epochs, "epoch")],
    ["Seeds", seeds],
    ["Engine", settings(engine)],
  ];
}

/** Distinct environments of the report's runs, with counts. */
export function environments(of: readonly Environment[]): Html {
  const counts = new Map<string, { environment: Environment; runs: number }>();
  for (const environment of of) {
    const key = JSON.stringify(environment);
    const known = counts.get(key);
    if (known) known.runs++;
    else counts.set(key, { environment, runs: 1 });
  }
  return html`${[...counts.values()].map(({ environment, runs }) =>
    definitions([
      ["Runs", formatCount(runs)],
      ["Hypertower", `${environment.hypertower}${environment.gitCommit ? `, commit ${environment.gitCommit}` : ""}`],
      ["Libraries", Object.entries(environment.libraries).map((entry) => entry.join(" ")).join(", ")],
      ["Machine", `${environment.cpu}, ${environment.platform}, Node ${environment.node}`],
    ]),
  )}`;
}

export function madeBy({ version }: Program, what: string): Html {
  return html`<footer>${what} Made by Hypertower ${version}. Everything in this file is in this file: it needs no network and no script.</footer>`;
}
