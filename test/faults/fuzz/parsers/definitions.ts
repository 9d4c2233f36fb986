/** Experiments, studies and what they are shared as. */
import { experiment, fieldErrors, totalSteps, validateExperiment } from "../../../../src/shared/experiment.ts";
import { readShared, sharedErrors } from "../../../../src/shared/sharing.ts";
import { reportFile } from "../../../../src/shared/reportFile.ts";
import { countRuns, expandStudy } from "../../../../src/shared/study/expand.ts";
import { validateStudy, type Study } from "../../../../src/shared/study/study.ts";
import { loadExperiment, loadStudy } from "../../../../src/main/headless/definitionSource.ts";
import { assign, parseAssignment } from "../../../../src/main/headless/setValue.ts";
import { newExperiment } from "../../../../src/shared/presets.ts";
import type { FuzzedParser } from "../parser.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Studies with more runs are validated only: expanding them takes as long as they are large. */
const maxExpanded = 300;

function expand(study: Study): void {
  if (countRuns(study) > maxExpanded) return;
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error(expansion.errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
}

export const definitionParsers: readonly FuzzedParser[] = [
  {
    name: "experiment",
    form: "json",
    parse: async ({ path }) => {
      const read = await loadExperiment({ file: path(), set: [] });
      totalSteps(read);
      if (!validateExperiment(JSON.parse(JSON.stringify(read))).ok) throw new TypeError("an accepted experiment is not accepted again");
    },
  },
  { name: "study", form: "json", parse: async ({ path }) => expand(await loadStudy({ file: path(), set: [] })) },
  {
    name: "links",
    parse: ({ bytes }) => {
      const reading = readShared(textOf(bytes));
      if (!reading.ok) throw new Error(reading.problem);
      const errors = sharedErrors(reading);
      if (errors.length > 0) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
      const study = reading.kind === "study" ? validateStudy(reading.value) : null;
      if (study?.ok) expand(study.study);
    },
  },
  {
    name: "report",
    form: "json",
    parse: ({ bytes }) => {
      let value: unknown;
      try {
        value = JSON.parse(textOf(bytes));
      } catch (cause) {
        throw new Error("it is no JSON", { cause });
      }
      const parsed = reportFile.safeParse(value);
      if (!parsed.success) throw new Error(fieldErrors(parsed.error).map(({ path, message }) => `${path}: ${message}`).join("\n"));
    },
  },
  {
    name: "set",
    parse: ({ bytes }) => {
      const target = experiment.parse(newExperiment);
      const changed = textOf(bytes).split("\n").reduce<unknown>((given, line) => assign(given, parseAssignment(line)), target);
      const validation = validateExperiment(changed);
      if (!validation.ok) throw new Error(validation.errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    },
  },
];
