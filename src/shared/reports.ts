/** Report requests, and the addresses of report files. */
import { z } from "zod";
import { attentionOf } from "./reading.ts";
import { paperFigures } from "./study/paperFigures.ts";
import { studyMetricNames } from "./study/metric.ts";

const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not an id");
/** Subject of a report: a study or a run. */
export const reportSubject = z.union([z.strictObject({ study: id }), z.strictObject({ run: id })], { error: "a report is of a study or of a run: give one id" });

const pixels = (what: string) =>
  z
    .number({ error: `${what} must be a number of pixels from 200 to 8000` })
    .int(`${what} must be a whole number of pixels`)
    .min(200, `${what} must be at least 200 pixels`)
    .max(8000, `${what} must be at most 8000 pixels`);

export const chartThemeNames = ["light", "dark", "print"] as const;
export const bandNames = ["standardError", "minMax", "none"] as const;
const figureNames = paperFigures.map(({ name }) => name);

const allowedMoments = "at must be final, best, epoch:N or step:N, with N from 1";
const counted = z.number(allowedMoments).int(allowedMoments).min(1, allowedMoments);
/** `final`, `best`, `epoch:3`, `step:500`. */
const moment = z.preprocess(
  (input) => {
    const [, unit, count] = (typeof input === "string" && /^(epoch|step):(\d{1,15})$/.exec(input)) || [];
    return unit === undefined ? input : { [unit]: Number(count) };
  },
  z.union([z.enum(["final", "best"]), z.strictObject({ epoch: counted }), z.strictObject({ step: counted })], { error: allowedMoments }),
);

/** Settings of figures. */
export const pictureSettings = z.strictObject({
  theme: z.enum(chartThemeNames, { error: `theme must be one of: ${chartThemeNames.join(", ")}` }).default("light"),
  /** Pixels at scale 1; the figure's own size by default. */
  width: pixels("width").nullable().default(null),
  height: pixels("height").nullable().default(null),
  /** Multiplies the pixels of a PNG. */
  scale: z.number({ error: "scale must be a number from 0.5 to 8" }).min(0.5, "scale must be at least 0.5").max(8, "scale must be at most 8").default(2),
  /** The headline metric by default. */
  metric: z.enum(studyMetricNames, { error: `metric must be one of: ${studyMetricNames.join(", ")}` }).optional(),
  at: moment.default("final"),
  band: z.enum(bandNames, { error: `band must be one of: ${bandNames.join(", ")}` }).default("standardError"),
  yLog: z.boolean({ error: "yLog must be true or false" }).default(false),
  /** A figure of the paper whose values are overlaid. */
  reference: z
    .string()
    .refine((name) => figureNames.includes(name), { error: (issue) => `there are no values of ${String(issue.input)}; allowed: ${figureNames.join(", ")}` })
    .nullable()
    .default(null),
});
export type PictureSettings = z.output<typeof pictureSettings>;

/** One file of a report: `report.html`, `steps.csv`, `figures/sensitivity.png`. */
export const reportFileRequest = z.strictObject({
  of: reportSubject,
  file: z.string().max(200),
  settings: pictureSettings.prefault({}),
  /** What a file with attention is of. */
  attention: attentionOf.optional(),
});
export type ReportFileRequest = z.output<typeof reportFileRequest>;
export type ReportSubject = z.output<typeof reportSubject>;

export const reportRequests = {
  /** Contents of a report. Fails when there is nothing to report. */
  "reports.describe": {
    input: z.strictObject({ of: reportSubject, settings: pictureSettings.prefault({}) }),
    output: z.object({
      remarks: z.array(z.string()),
      documents: z.array(z.string()),
      figures: z.array(z.object({ name: z.string(), title: z.string(), width: z.number(), height: z.number() })),
    }),
  },
  /** Checks that the file can be made, and returns its address on the window's host. */
  "reports.file": { input: reportFileRequest, output: z.object({ path: z.string(), filename: z.string(), mediaType: z.string() }) },
} as const;

/** Path prefix of report files, on the window's origin. */
export const downloadPrefix = "/download/";

/** Path of a file; its last part is only the suggested file name. */
export function downloadPath(request: ReportFileRequest, filename: string): string {
  return `${downloadPrefix}${encodeURIComponent(JSON.stringify(request))}/${encodeURIComponent(filename)}`;
}

/** Parses a path; null if it is not a report file's. */
export function parseDownloadPath(path: string): ReportFileRequest | null {
  const [encoded, filename, ...rest] = path.startsWith(downloadPrefix) ? path.slice(downloadPrefix.length).split("/") : [];
  if (encoded === undefined || filename === undefined || rest.length > 0) return null;
  try {
    const parsed = reportFileRequest.safeParse(JSON.parse(decodeURIComponent(encoded)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
