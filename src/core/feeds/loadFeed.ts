/** Loads the feed of an experiment and caches its data for the next run of this process. */
import { drawsBlocks, taskOf, type Experiment } from "../../shared/experiment.ts";
import { loadDataset, loadText, type Dataset, type TextDataset } from "../datasets/index.ts";
import type { Model } from "../models/model.ts";
import { inSharedMemory } from "./ahead/index.ts";
import { blockFeed } from "./blockFeed.ts";
import type { Feed } from "./feed.ts";
import { labelledFeed } from "./labelledFeed.ts";
import { textFeed } from "./textFeed.ts";

type Data = { readonly text: TextDataset } | { readonly labelled: Dataset };

/** Data of the latest run; the next run is likely to use the same. */
let held: { readonly of: string; readonly data: Promise<Data> } | undefined;

function heldData({ dataset, generator }: Experiment): Promise<Data> {
  const { kind, trainExamples, testExamples, splitSeed, validation } = dataset;
  const of = JSON.stringify([kind, trainExamples, testExamples, splitSeed, validation, generator]);
  const load = async (): Promise<Data> => (taskOf({ dataset }) === "text" ? { text: await loadText(dataset) } : { labelled: inSharedMemory(await loadDataset({ ...dataset, generator })) });
  if (held?.of !== of) held = { of, data: load() };
  // Retry next time: a file that could not be read may exist by then.
  held.data.catch(() => (held = undefined));
  return held.data;
}

/**
 * @throws Error naming a missing or damaged file, or a difference between the data and the
 * experiment
 */
export async function loadFeed(experiment: Experiment, model: Model): Promise<Feed> {
  const data = await heldData(experiment);
  if ("labelled" in data) return labelledFeed(data.labelled, experiment, model);
  return drawsBlocks(experiment) ? blockFeed(data.text, experiment, model) : textFeed(data.text, experiment, model);
}
