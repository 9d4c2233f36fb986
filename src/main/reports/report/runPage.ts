/** The HTML report of a single run. */
import { choiceText } from "../../../shared/kept.ts";
import { capital } from "../../../charts/studyText.ts";
import { taskOf } from "../../../shared/experiment.ts";
import { formatMeasure } from "../../../shared/format.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { headlineOf, metricOf, metricText, metricValue } from "../../../shared/metrics.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { studyMetricsOf } from "../../../shared/study/metric.ts";
import { encodeLink } from "../../../shared/sharing.ts";
import { plural } from "../../../shared/text.ts";
import { formatHyperparameter, initialValue, learnedHyperparameters, levelLabel, shownHyperparameters } from "../../../shared/tower.ts";
import type { Figure } from "./figure.ts";
import { html, tableOf, type Html } from "./markup.ts";
import { figureElement, page, savedFile } from "./page.ts";
import { configuration, definitions, environments, madeBy } from "./sections.ts";
import type { RunPredictions, RunSource } from "./source.ts";

interface RunPageParts {
  readonly figures: readonly Figure[];
  readonly remarks: readonly string[];
  readonly text: RunPredictions["text"];
}

export function runPage(run: RunDetail, source: RunSource, { figures, remarks, text }: RunPageParts): string {
  const { experiment } = run;
  const names = studyMetricsOf(experiment).filter((name) => metricOf(name).set !== "train" || name === "trainLoss");
  const body = html`
<h1>${run.name || run.stack}</h1>
<p class="soft">${run.stack}. ${run.status} after ${plural(run.steps, "step")} of ${plural(run.totalSteps, "step")}${run.trained === null ? "" : `, ${trainedText(run.trained)}`}.</p>
${remarks.length === 0 ? null : html`<div class="notes"><ul>${remarks.map((remark) => html`<li>${remark}</li>`)}</ul></div>`}
<div class="verdict"><strong>${outcome(run)}</strong>${run.reason ? html`<ul><li>${run.reason}</li></ul>` : null}</div>
${figures.map((figure, i) => figureElement(figure, i + 1))}
${text ? written(text, choiceText(experiment)) : null}
<h2>Hyperparameters</h2>
${hyperparameters(run)}
<h2>Evaluations</h2>
${run.evaluations.length === 0 ? html`<p class="soft">None was taken.</p>` : tableOf(["Epoch", "Step", ...names.map((name) => capital(metricOf(name).label))], run.evaluations.map((one) => [one.epoch, one.step, ...names.map((name) => metricText(name, metricValue(name, one)))]), "points")}
${happened(run)}
<h2>Configuration</h2>
${definitions(configuration(experiment, String(experiment.seed)))}
<h2>Environment</h2>
${run.environment ? environments([run.environment]) : html`<p class="soft">The run has not started.</p>`}
<h2>How to repeat it</h2>
<p>Save the ${savedFile("experiment.json", experiment, "experiment file")}, or open this report itself in the workbench. On the command line:</p>
<pre>hypertower train experiment.json
hypertower reproduce ${run.id}</pre>
<p>The same as a link, to be pasted where the workbench imports one:</p>
<pre>${encodeLink({ kind: "experiment", value: experiment })}</pre>
${madeBy(source.program, `Run ${run.id}.`)}`;
  return page({ title: `${run.name || run.stack} · Hypertower`, body, embedded: { kind: "experiment", value: experiment } });
}

function written({ prime, text, temperature, seed }: NonNullable<RunPredictions["text"]>, choice: string): Html {
  return html`<h2>Text it writes</h2>
<p>What its best weights (${choice}) go on with after “${prime}”, at temperature ${temperature} with seed ${seed}.</p>
<pre>${prime}${text}</pre>`;
}

function happened({ events }: RunDetail): Html | null {
  if (events.length === 0) return null;
  const rows = events.map(({ at, step, kind, message }) => [new Date(at).toISOString().replace("T", " ").slice(0, 19), step, kind, message]);
  return html`<h2>What happened</h2>
${tableOf(["When (UTC)", "Step", "", ""], rows)}`;
}

function outcome(run: RunDetail): string {
  const { status, evaluations, loss, experiment } = run;
  const name = headlineOf(taskOf(experiment));
  const last = evaluations.at(-1);
  const measured = last ? `${capital(metricOf(name).label)} ${metricText(name, metricValue(name, last))}, test loss ${formatMeasure(last.testLoss)} after epoch ${last.epoch}` : `Loss of the last step's batch ${formatMeasure(loss)}`;
  return status === "finished" ? `${measured}.` : `The run is ${status}. ${measured}.`;
}

function hyperparameters({ experiment, hyperparameters: values }: RunDetail): Html {
  const rows = experiment.tower.flatMap((of, level) =>
    shownHyperparameters(of).map((spec) => {
      const found = values.find((one) => one.level === level && one.name === spec.name);
      const initial = initialValue(of, spec.name);
      const learned = learnedHyperparameters(of).some(({ name }) => name === spec.name) && level < experiment.tower.length - 1;
      const final = found ? (found.value === null ? "not finite" : formatHyperparameter(found.value)) : formatHyperparameter(initial);
      return [`${spec.symbol} of level ${level} (${levelLabel(of, level === experiment.tower.length - 1)})`, formatHyperparameter(initial), final, learned ? "learned" : "constant"];
    }),
  );
  return tableOf(["", "Initial", "Final", ""], rows, "points");
}
