/** A model as JSON: written with one layer per line; errors name line, layer and field. */
import { findNodeAtLocation, parse, parseTree, printParseErrorCode, type ParseError } from "jsonc-parser";
import { asSequential, describeModel } from "@shared/models/architecture.ts";
import { dataShape, type DataChoice } from "@shared/models/data.ts";
import { ModelError } from "@shared/models/describe.ts";
import { fieldErrors } from "@shared/experiment.ts";
import { model as modelSchema, type ModelConfigOf } from "@shared/models/schema.ts";

type Path = readonly (string | number)[];

export interface JsonProblem {
  /** From 1. */
  readonly line: number;
  /** `layer 3 (conv2d), channels`; empty for the whole. */
  readonly where: string;
  readonly message: string;
}

export interface ReadModel {
  /**
   * The parsed model as an own architecture, or null; shape errors are reported without discarding
   * it.
   */
  readonly model: ModelConfigOf<"sequential"> | null;
  readonly problems: readonly JsonProblem[];
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** One layer per line, inner layers indented. */
export function writeModel(model: object): string {
  const written = (value: Fields): string => {
    const { kind, name, ...fields } = value;
    const given = Object.entries({ kind, name, ...fields }).filter(([, field]) => field !== undefined);
    return `{ ${given.map(([key, field]) => `${JSON.stringify(key)}: ${JSON.stringify(field)}`).join(", ")} }`;
  };
  const layer = (value: unknown, indent: string): string => {
    if (!isObject(value)) return `${indent}${JSON.stringify(value)}`;
    if (!Array.isArray(value["layers"])) return `${indent}${written(value)}`;
    const { layers, ...rest } = value;
    return `${indent}${written(rest).slice(0, -2)}, "layers": [\n${layers.map((inner) => layer(inner, `${indent}  `)).join(",\n")}\n${indent}] }`;
  };
  const { layers, ...rest } = model as { layers?: unknown };
  const fields = Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [`  ${JSON.stringify(key)}: ${JSON.stringify(value)}`]));
  if (Array.isArray(layers)) fields.push(`  "layers": [\n${layers.map((one) => layer(one, "    ")).join(",\n")}\n  ]`);
  return `{\n${fields.join(",\n")}\n}\n`;
}

/** An experiment file with the model and its data, for `hypertower train`. */
export function experimentFile(model: object, dataset: string): string {
  return `{\n  "dataset": { "kind": ${JSON.stringify(dataset)} },\n  "model": ${writeModel(model).trimEnd().replaceAll("\n", "\n  ")}\n}\n`;
}

/** Finds the model in a model, a list of layers, or an experiment. */
function modelIn(given: unknown): { readonly value: unknown; readonly prefix: Path; /** Path in the model to that in the text. */ strip: number } {
  if (Array.isArray(given)) return { value: { kind: "sequential", layers: given as unknown[] }, prefix: [], strip: 1 };
  if (isObject(given) && !("kind" in given) && isObject(given["model"])) return { value: given["model"], prefix: ["model"], strip: 0 };
  return { value: given, prefix: [], strip: 0 };
}

/** `layer 3 (conv2d), layer 1 (relu), size`. */
function placeInWords(path: Path, model: unknown): string {
  const words: string[] = [];
  let at: unknown = model;
  let rest = [...path];
  while (rest[0] === "layers" && typeof rest[1] === "number") {
    const layers: unknown = isObject(at) ? at["layers"] : undefined;
    at = Array.isArray(layers) ? layers[rest[1]] : undefined;
    const kind = isObject(at) && typeof at["kind"] === "string" ? ` (${at["kind"]})` : "";
    words.push(`layer ${rest[1] + 1}${kind}`);
    rest = rest.slice(2);
  }
  return [...words, ...(rest.length > 0 ? [rest.join(".")] : [])].join(", ");
}

/** Parses a model, a list of layers, or the model of an experiment. */
export function readModel(text: string, choice: DataChoice): ReadModel {
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const faults: ParseError[] = [];
  const given: unknown = parse(text, faults, { allowTrailingComma: true });
  const [fault] = faults;
  if (fault) {
    return { model: null, problems: [{ line: lineAt(fault.offset), where: "", message: `this is not JSON: ${printParseErrorCode(fault.error).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}` }] };
  }
  const { value, prefix, strip } = modelIn(given);
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const problem = (path: Path, message: string): JsonProblem => {
    const inText = [...prefix, ...path.slice(strip)];
    const node = tree && inText.map((_, i) => findNodeAtLocation(tree, inText.slice(0, inText.length - i))).find((found) => found !== undefined);
    return { line: lineAt(node?.offset ?? 0), where: placeInWords(path, value), message };
  };
  const parsed = modelSchema.safeParse(value);
  if (!parsed.success) {
    const problems = fieldErrors(parsed.error).map(({ path, message }) => problem(path === "" ? [] : path.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part)), message));
    return { model: null, problems };
  }
  const data = dataShape({ ...choice, model: parsed.data });
  try {
    describeModel(parsed.data, data);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    // A model of another kind cannot be converted to layers for data that it does not fit.
    return { model: parsed.data.kind === "sequential" ? parsed.data : null, problems: [problem(error.path.slice(1), error.message)] };
  }
  return { model: asSequential(parsed.data, data), problems: [] };
}
