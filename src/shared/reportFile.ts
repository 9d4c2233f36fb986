/** `report.json`, the description of a report's files. docs/reports.md documents its schema. */
import { z } from "zod";
import { experiment } from "./experiment.ts";
import { environment } from "./run.ts";
import { study } from "./study/study.ts";
import { trainedTime } from "./trainedTime.ts";

const estimate = z.object({ value: z.number(), interval: z.tuple([z.number(), z.number()]).nullable() });

/** How long the run or study has trained; null before its start, missing from reports of earlier versions. */
const trained = trainedTime.nullable().optional();

export const reportFile = z
  .strictObject({
    format: z.literal("hypertower-report"),
    formatVersion: z.literal(1),
    /** The program that wrote the report; `environments` trained the runs. */
    program: z.object({ name: z.literal("hypertower"), version: z.string() }),
    /** Remarks, for example on missing or unfinished runs. */
    remarks: z.array(z.string()),
    study: z
      .object({ id: z.string(), name: z.string(), status: z.string(), createdAt: z.iso.datetime(), finishedAt: z.iso.datetime().nullable(), trained, runs: z.record(z.string(), z.number().int()), definition: study })
      .optional(),
    experiment: z
      .object({ run: z.string(), name: z.string(), status: z.string(), createdAt: z.iso.datetime(), finishedAt: z.iso.datetime().nullable(), trained, definition: experiment })
      .optional(),
    tables: z.array(z.object({ file: z.string(), description: z.string(), columns: z.array(z.object({ name: z.string(), unit: z.string(), description: z.string() })) })),
    figures: z.array(z.object({ name: z.string(), title: z.string(), caption: z.string(), files: z.array(z.string()), width: z.number(), height: z.number() })),
    /** Key figures by height or stack; only for studies. */
    numbers: z
      .object({
        metric: z.string(),
        confidence: z.number(),
        resamples: z.number().int(),
        definitions: z.record(z.string(), z.object({ title: z.string(), unit: z.string(), definition: z.string() })),
        values: z.array(z.object({ curve: z.string(), height: z.number().int(), stack: z.string().nullable(), runs: z.number().int(), diverged: z.number().int(), exploded: z.number().int().default(0), numbers: z.record(z.string(), estimate.nullable()) })),
        verdict: z.object({ headline: z.string(), remarks: z.array(z.string()) }),
      })
      .optional(),
    environments: z.array(environment),
  })
  .refine((of) => (of.study === undefined) !== (of.experiment === undefined), "a report is of a study or of an experiment");

export type ReportFileContent = z.output<typeof reportFile>;
