/** `hypertower import-model FILE --check BATCH`: compares a network's loss and gradients with another library's. */
import type { EngineKind } from "../../../shared/engines.ts";
import type { Filling } from "../../../shared/models/graph.ts";
import { plural } from "../../../shared/text.ts";
import { checkNetwork, type GraphCheckResult } from "../../services/graphCheck.ts";
import { table } from "../format.ts";
import { exitCodes } from "../exitCodes.ts";

export interface CheckModelOptions {
  readonly check: string;
  readonly engine?: EngineKind;
  readonly tolerance?: number;
  readonly output?: string;
  readonly tie?: Readonly<Record<string, string>>;
  readonly fill?: Readonly<Record<string, Filling>>;
  readonly json?: boolean;
}

export async function checkModel(file: string, { check, engine = "onnx-cpu", tolerance, output, tie, fill, json }: CheckModelOptions): Promise<number> {
  const result = await checkNetwork({ file, batch: check, engine, ...(tolerance === undefined ? {} : { tolerance }), ...(output === undefined ? {} : { output }), ...(tie ? { ties: tie } : {}), ...(fill ? { fillings: fill } : {}) });
  console.log(json ? JSON.stringify({ type: "modelCheck", file, batch: check, ...withoutNaN(result) }) : describedCheck(result));
  return result.agrees ? exitCodes.ok : exitCodes.error;
}

/** JSON has no NaN or infinity; text stands for them. */
function withoutNaN(value: unknown): object {
  return JSON.parse(JSON.stringify(value, (_, entry: unknown) => (typeof entry === "number" && !Number.isFinite(entry) ? String(entry) : entry))) as object;
}

const short = (value: number) => (value === 0 ? "0" : value.toExponential(1));

export function describedCheck({ loss, gradients, largestRelativeDifference, missing, buffers, agrees, tolerance, engine, warnings }: GraphCheckResult): string {
  const entries = Object.entries(gradients);
  const rows = entries.map(([name, { relativeDifference, largestEntry, file, zero }]) => [name, short(relativeDifference), short(largestEntry), [file && `"${file}" in the file`, zero && "0 up to rounding: relative to the largest of all gradients"].filter(Boolean).join("; ")]);
  const missed = missing.length === 0 ? [] : [`No array in the file for ${plural(missing.length, "gradient")}: ${missing.join(", ")}. The exporter merged, folded or left them out.`];
  const unused = buffers.length === 0 ? [] : [`No gradient in the batch, so not trained here: ${buffers.join(", ")}`];
  const verdict = agrees
    ? `Agrees to ${short(largestRelativeDifference)} on the loss and ${plural(entries.length, "parameter")} (${engine}; at most ${tolerance} is allowed).`
    : missing.length > 0 && largestRelativeDifference <= tolerance
      ? `Does not agree: ${plural(missing.length, "gradient")} cannot be compared (${engine}).`
      : `Does not agree: the largest relative difference is ${short(largestRelativeDifference)} (${engine}; at most ${tolerance} is allowed).`;
  return [
    `loss ${loss.ours}, given ${loss.given}: relative difference ${short(loss.relativeDifference)}`,
    "",
    ...(rows.length > 0 ? [table([["gradient", "relative difference", "largest entry", ""], ...rows]), ""] : []),
    ...warnings,
    ...missed,
    ...unused,
    verdict,
  ].join("\n");
}
