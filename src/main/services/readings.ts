/** A reading of one example as the window's reply, and its attention as files. */
import { strToU8, zipSync } from "fflate";
import type { DatasetInfo } from "../../shared/datasets.ts";
import { formatMeasure } from "../../shared/format.ts";
import type { WeightsSummary } from "../../shared/kept.ts";
import { attentionFile as nameOf, type AttentionFormat, type AttentionOf, type ReadingReply } from "../../shared/reading.ts";
import type { PictureSettings } from "../../shared/reports.ts";
import type { RunDetail } from "../../shared/run.ts";
import { encodeNpy } from "../../core/datasets/formats/npy.ts";
import { fileStem } from "../reports/index.ts";
import { attentionFigure } from "../reports/report/attentionFigure.ts";
import { pictureFile } from "../reports/report/figure.ts";
import type { AttentionMap, Reading } from "../trainer/jobs.ts";
import { UserError, type ExportFile } from "./services.ts";

export interface ReadWeights {
  readonly kept: WeightsSummary;
  readonly info: DatasetInfo;
  readonly reading: Reading;
}

/** Number of most probable symbols or classes in a reply. */
const maxRanked = 5;

/** @throws UserError where there is no such module */
export function replyOf({ kept, info, reading }: ReadWeights, module: number): ReadingReply {
  const { maps } = reading;
  if (module > 0) requireModule(maps, module);
  return {
    kept,
    symbols: symbolsOf(reading),
    length: reading.length,
    example: reading.codes === null ? exampleOf(reading, info) : null,
    modules: maps.map(({ name, heads, queries, keys, causal }) => ({ name, heads, queries, keys, causal })),
    weights: maps[module] ? base64(maps[module].weights) : null,
  };
}

function requireModule(maps: readonly AttentionMap[], module: number): AttentionMap {
  const found = maps[module];
  if (found) return found;
  throw new UserError(maps.length === 0 ? "The model has no softmax attention, so there are no maps of it." : `There is no attention ${module}; the model has ${maps.length}, from 0 on.`);
}

const base64 = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

function rankedOf(scores: Float32Array, name: (index: number) => string): { name: string; probability: number }[] {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  return order.slice(0, maxRanked).map((index) => ({ name: name(index), probability: Math.exp(scores[index]!) }));
}

function symbolsOf({ codes, next, symbols, scores, width }: Reading): ReadingReply["symbols"] {
  if (codes === null) return [];
  const name = (code: number) => symbols[code] ?? `#${code}`;
  return codes.map((code, position) => {
    const row = scores.subarray(position * width, (position + 1) * width);
    const follows = codes[position + 1] ?? next;
    return {
      name: name(code),
      next: follows === null ? null : { name: name(follows), probability: Math.exp(row[follows]!), loss: -row[follows]! },
      ranked: rankedOf(row, name),
    };
  });
}

function exampleOf({ label, scores }: Reading, { task, classNames }: DatasetInfo): ReadingReply["example"] {
  if (task === "regression") return { actual: formatMeasure(label ?? 0), predicted: formatMeasure(scores[0]!), ranked: [] };
  const name = (index: number) => classNames[index] ?? String(index);
  const ranked = rankedOf(scores, name);
  return { actual: name(label ?? 0), predicted: ranked[0]!.name, ranked };
}

export interface AttentionFileOptions extends Pick<AttentionOf, "module" | "head"> {
  readonly format: AttentionFormat;
  readonly settings: PictureSettings;
}

const mediaTypes: Readonly<Record<AttentionFormat, string>> = { npz: "application/zip", csv: "text/csv", json: "application/json", svg: "image/svg+xml", png: "image/png" };

/** @throws UserError where the model has no attention, or no such module or head */
export function attentionFile(of: ReadWeights & { readonly run: RunDetail }, options: AttentionFileOptions): ExportFile {
  const { reading, run } = of;
  const { format } = options;
  const map = requireModule(reading.maps, options.module);
  const file = { filename: `${fileStem(run)}-${nameOf(format)}`, mediaType: mediaTypes[format] };
  switch (format) {
    case "npz":
      return { ...file, pieces: [npz(reading)] };
    case "csv":
      return { ...file, pieces: csv(reading) };
    case "json":
      return { ...file, pieces: json(of) };
    default:
      return { ...file, pieces: [picture(of, map, options)] };
  }
}

/** Arrays `[heads, queries, keys]` under the modules' names, and the codes of the symbols. */
function npz({ maps, codes }: Reading): Uint8Array {
  const arrays = maps.map(({ name, heads, queries, keys, weights }) => [`${name}.npy`, encodeNpy({ shape: [heads, queries, keys], values: Float64Array.from(weights) })] as const);
  const symbols = codes === null ? [] : [["symbols.npy", encodeNpy({ shape: [codes.length], values: Float64Array.from(codes) })] as const];
  return zipSync(Object.fromEntries([...symbols, ...arrays]), { mtime: new Date(1980, 0, 1), level: 1 });
}

const symbolAt = ({ codes, symbols }: Reading, position: number) => (codes === null ? "" : (symbols[codes[position]!] ?? ""));
const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function* csv(reading: Reading): Generator<string> {
  yield "module,head,query,key,query_symbol,key_symbol,weight\n";
  for (const { name, queries, keys, weights, heads } of reading.maps) {
    for (let row = 0; row < heads * queries; row++) {
      const query = row % queries;
      const start = [quoted(name), Math.floor(row / queries), query].join(",");
      yield Array.from({ length: keys }, (_, key) => `${start},${key},${quoted(symbolAt(reading, query))},${quoted(symbolAt(reading, key))},${weights[row * keys + key]}\n`).join("");
    }
  }
}

function* json(of: ReadWeights): Generator<string> {
  const { reading, kept } = of;
  const { symbols, length, example } = replyOf(of, 0);
  yield `${JSON.stringify({ checkpoint: kept.name, step: kept.evaluation.step, symbols, length, example }).slice(0, -1)},"modules":[`;
  for (const [i, { name, heads, queries, keys, causal, weights }] of reading.maps.entries()) {
    const nested = Array.from({ length: heads }, (_, head) => Array.from({ length: queries }, (__, query) => [...weights.subarray((head * queries + query) * keys, (head * queries + query + 1) * keys)]));
    yield `${i > 0 ? "," : ""}${JSON.stringify({ name, heads, queries, keys, causal, weights: nested })}`;
  }
  yield "]}\n";
}

function picture({ reading, kept, run }: ReadWeights & { readonly run: RunDetail }, map: AttentionMap, { head, format, settings }: AttentionFileOptions): string | Uint8Array {
  if (typeof head === "number" && head >= map.heads) throw new UserError(`${map.name} has no head ${head}; it has ${map.heads}, from 0 on.`);
  const { codes } = reading;
  const shown = { ...map, symbols: codes === null ? [] : codes.map((_, position) => symbolAt(reading, position)), head };
  const { theme, width, height, scale } = settings;
  const drawn = pictureFile(attentionFigure(run, kept, map.name, shown, width), format === "png" ? "png" : "svg", { theme, scale, ...(width !== null && { width }), ...(height !== null && { height }) });
  return typeof drawn === "string" ? strToU8(drawn) : drawn;
}
