/** `hypertower attention RUN`: what a run's saved weights predict of one example, and where their attention lies. */
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fieldErrors } from "../../../shared/experiment.ts";
import type { KeptName } from "../../../shared/kept.ts";
import { attentionFile, attentionFormats, attentionOf, shownSymbol, type AttentionFormat, type ReadingReply } from "../../../shared/reading.ts";
import { pictureSettings } from "../../../shared/reports.ts";
import { UserError } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { formatLoss, formatPercent, table } from "../format.ts";
import { formatOf, refuseBinary } from "../outFile.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";

export interface AttentionOptions {
  readonly position?: number;
  readonly set?: string;
  readonly text?: string;
  readonly example?: number;
  readonly module?: string;
  readonly head?: string;
  readonly checkpoint: KeptName;
  readonly out?: string;
  readonly format?: AttentionFormat;
  readonly force?: boolean;
  readonly theme?: string;
  readonly store?: string;
  readonly json?: boolean;
}

const endings = Object.fromEntries(attentionFormats.map((format) => [`.${format}`, format])) as Readonly<Record<string, AttentionFormat>>;

export async function attention(programFiles: ProgramFiles, wanted: string, options: AttentionOptions): Promise<number> {
  const { out, force, store, json, theme } = options;
  const format = options.format ?? (out === undefined ? undefined : formatOf(out, endings));
  if (format !== undefined && out === undefined && (format === "npz" || format === "png")) refuseBinary(`A file in the format ${format}`);
  return withStore(programFiles, storeDirOf(store), async (services) => {
    const run = await findRun(services, wanted);
    const { experiment } = await services.handlers["runs.get"]({ run });
    const request = attentionOf.safeParse({ checkpoint: options.checkpoint, example: exampleOf(options, experiment.dataset.validation > 0), head: headOf(options.head) });
    if (!request.success) throw new UserError(fieldErrors(request.error).map(({ message }) => message).join("; "));
    const { head: _, ...of } = request.data;
    const reply = await services.handlers["predictions.reading"]({ run, ...of });
    if (format === undefined) {
      console.log(json ? JSON.stringify({ type: "attention", run, ...reply, weights: undefined }) : described(reply));
      return exitCodes.ok;
    }
    const module = moduleOf(reply, options.module);
    const file = await services.reportFile({ of: { run }, file: attentionFile(format), settings: pictureSettings.parse({ ...(theme !== undefined && { theme }) }), attention: { ...request.data, module } });
    if (out === undefined) await pipeline(Readable.from(file.pieces), process.stdout, { end: false });
    else await writeWhole(resolve(out), file, force ?? false);
    return exitCodes.ok;
  });
}

/** @throws UserError where several examples are named */
function exampleOf({ position, set, text, example }: AttentionOptions, hasValidation: boolean): unknown {
  const named = [text !== undefined && "--text", example !== undefined && "--example", (position !== undefined || set !== undefined) && "--position or --set"].filter((name) => name !== false);
  if (named.length > 1) throw new UserError(`${named.join(" and ")} name different examples; give one of them`);
  if (text !== undefined) return { from: "typed", text };
  if (example !== undefined) return { from: "example", index: example };
  return { from: "text", set: set ?? (hasValidation ? "validation" : "test"), position: position ?? 0 };
}

/** Heads are counted from 1 for people. */
function headOf(head: string | undefined): unknown {
  if (head === undefined || head === "all") return null;
  if (head === "mean") return head;
  const number = Number(head);
  if (!Number.isInteger(number) || number < 1) throw new UserError(`--head ${head}: give a head's number from 1, mean or all`);
  return number - 1;
}

/** A module by its name or its number from 1. */
function moduleOf({ modules }: ReadingReply, wanted: string | undefined): number {
  if (wanted === undefined) return 0;
  const byName = modules.findIndex(({ name }) => name === wanted);
  const index = byName >= 0 ? byName : Number(wanted) - 1;
  if (Number.isInteger(index) && index >= 0 && index < modules.length) return index;
  throw new UserError(`--module ${wanted}: there is no such attention; the model has ${modules.map(({ name }) => name).join(", ") || "none"}`);
}

function described({ kept, symbols, example, modules, length }: ReadingReply): string {
  const facts = [["checkpoint", `${kept.name}, step ${kept.evaluation.step}`], ...(length === null ? [] : [["text", `${length} symbols`]])];
  const ranked = (list: ReadingReply["symbols"][number]["ranked"]) => list.slice(0, 3).map(({ name, probability }) => `${shownSymbol(name)} ${formatPercent(100 * probability)}`).join("  ");
  const read = example
    ? table([["actual", example.actual], ["predicted", example.predicted], ...(example.ranked.length > 0 ? [["probabilities", ranked(example.ranked)]] : [])])
    : table([["POSITION", "SYMBOL", "NEXT", "LOSS", "MOST PROBABLE"], ...symbols.map(({ name, next, ranked: list }, i) => [String(i), shownSymbol(name), next ? shownSymbol(next.name) : "", next ? formatLoss(next.loss) : "", ranked(list)])]);
  const attentions = modules.length === 0 ? "The model has no softmax attention." : table([["ATTENTION", "HEADS", "QUERIES", "KEYS", "CAUSAL"], ...modules.map(({ name, heads, queries, keys, causal }) => [name, String(heads), String(queries), String(keys), causal ? "yes" : "no"])]);
  return [table(facts), "", read, "", attentions].join("\n");
}
