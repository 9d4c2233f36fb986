/** An experiment as a list of its fields. */
import { outputsOf, type OwnFacts } from "@shared/datasets.ts";
import type { Experiment } from "@shared/experiment.ts";
import { describeDataset } from "./datasets.ts";
import { fieldsOf } from "@shared/comparison/differences.ts";
import { formatField } from "./format.ts";

/** Maximum number of class names listed; more are counted. */
const maxNames = 12;

function factsInWords(facts: OwnFacts): [string, string][] {
  const { title, classNames } = facts;
  const rows: [string, string][] = [["dataset", `${title}: ${describeDataset({ ...facts, classes: outputsOf(facts) })}`]];
  if (classNames.length > 0) rows.push(["classes", [...classNames.slice(0, maxNames), ...(classNames.length > maxNames ? [`${classNames.length - maxNames} more`] : [])].join(", ")]);
  return rows;
}

/** Field paths and values; facts about a user's own data are described. */
export function configurationOf(experiment: Experiment, without: readonly string[] = ["name"]): [string, string][] {
  const { facts } = experiment.dataset;
  return [...fieldsOf({ ...experiment, dataset: { ...experiment.dataset, facts: undefined } })].flatMap(([path, value]): [string, string][] => {
    if (without.includes(path)) return [];
    const row: [string, string] = [path, formatField(path, value)];
    return path === "dataset.kind" && facts ? [row, ...factsInWords(facts)] : [row];
  });
}
