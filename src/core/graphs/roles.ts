/** Which arrays of a file are trained. ONNX does not tell; exporters' metadata, names and uses do. */
import { storedTypes, type GraphInitializer, type GraphNode, type InitializerRole } from "../../shared/models/graph.ts";
import type { GraphTensor } from "./tensors.ts";

export interface RoleFacts {
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly GraphInitializer[];
  /** Names of arrays that are constants of the graph. */
  readonly constants: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly producer: string;
  /** Parameters by their other names, which are none of the arrays. */
  readonly tied: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, GraphTensor>;
  /** Whether PyTorch's optimizer of graphs ran. */
  readonly optimized: boolean;
}

const signatureKey = "pkg.torch.export.ExportedProgram.graph_signature";

/** Names of a PyTorch module's parameters and buffers; null where the file does not have them. */
export function signatureOf(metadata: Readonly<Record<string, string>>): { parameters: string[]; others: string[]; byInput: Map<string, string> } | null {
  const text = metadata[signatureKey];
  if (text === undefined) return null;
  const targets = (kind: string) => [...text.matchAll(new RegExp(`: ${kind} target='([^']*)'`, "g"))].map(([, name]) => name!);
  const byInput = new Map([...text.matchAll(/(\S+): PARAMETER target='([^']*)'/g)].map(([, input, name]) => [input!, name!]));
  return { parameters: targets("PARAMETER"), others: [...targets("BUFFER"), ...targets("CONSTANT_TENSOR")], byInput };
}

export const exportRecipe = "torch.onnx.export(model.train(), (x,), FILE, dynamo=True, optimize=False, external_data=False, dynamic_shapes=({0: torch.export.Dim(\"batch\")},))";

/** Whether floats look like a mask: only 0, 1 and -infinity or a large negative number, and two of them. */
function isMask({ data, shape }: GraphTensor): boolean {
  if (shape.length < 2) return false;
  const values = new Set<number>();
  for (const value of data) {
    if (value !== 0 && value !== 1 && value > -1e3) return false;
    values.add(value);
  }
  return values.size > 1;
}

/** Inputs that say how to calculate, by operator. */
const settingInputs: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2, 3], Upsample: [1], Clip: [1, 2], Dropout: [1], Pad: [1, 2], OneHot: [1, 2], Range: [0, 1, 2], Loop: [0, 1] };

/** Names of arrays that are read as settings only. */
function settingsOf(nodes: readonly GraphNode[]): Set<string> {
  const uses = nodes.flatMap(({ operator, inputs }) => inputs.map((name, i) => ({ name, isSetting: settingInputs[operator]?.includes(i) ?? false })));
  const calculated = new Set(uses.filter(({ isSetting }) => !isSetting).map(({ name }) => name));
  return new Set(uses.flatMap(({ name, isSetting }) => (isSetting && !calculated.has(name) ? [name] : [])));
}

/** Whether an array begins as a table of sines or cosines of positions: of 0 in the first row, of 1 in the second. */
function isSinusoid({ data, shape }: GraphTensor): boolean {
  const width = shape.at(-1) ?? 0;
  if (shape.length < 2 || (shape.at(-2) ?? 0) < 2 || width < 2) return false;
  const isOne = (value: number, ...allowed: readonly number[]) => allowed.some((one) => Math.abs(value - one) < 1e-4);
  return isOne(data[width]!, Math.sin(1), Math.cos(1)) && data.subarray(0, width).every((value) => isOne(value, 0, 1)) && data.every((value) => Math.abs(value) <= 1.0001);
}

export function rolesOf(facts: RoleFacts): { roles: Map<string, InitializerRole>; warnings: string[] } {
  const { nodes, initializers, constants, tensors } = facts;
  const signature = signatureOf(facts.metadata);
  const parameters = new Set(signature?.parameters.map((name) => facts.tied[name] ?? name));
  const others = new Set(signature?.others);
  // Folded arrays of a file that has all parameters are not trained.
  const complete = signature !== null && [...parameters].every((name) => tensors.has(name));
  const settings = settingsOf(nodes);
  const statistics = new Set(nodes.filter(({ operator }) => operator === "BatchNormalization").flatMap(({ inputs }) => inputs.slice(3, 5)));
  const roles = new Map<string, InitializerRole>();
  for (const { name, dtype, shape } of initializers) {
    const tensor = tensors.get(name)!;
    const role = (): InitializerRole => {
      if (storedTypes[dtype].kind !== "float" || constants.has(name) || settings.has(name)) return "constant";
      if (statistics.has(name) || /running_(mean|var)$/.test(name)) return "statistics";
      if (parameters.has(name)) return "parameter";
      if (others.has(name) || isMask(tensor) || isSinusoid(tensor)) return "buffer";
      // PyTorch's older exporter has the numbers that a graph calculates with as nodes.
      if (facts.producer === "pytorch" && !signature) return /^onnx::/.test(name) && tensor.data.length === 1 ? "constant" : "parameter";
      // Numbers that a graph calculates with, such as the root of a width.
      if (shape.length === 0 || (tensor.data.length === 1 && !/[./]|weight|bias|kernel|scale/i.test(name))) return signature || !/[./]/.test(name) ? "constant" : "parameter";
      return complete && !parameters.has(name) ? "buffer" : "parameter";
    };
    roles.set(name, role());
  }
  if (!signature) return { roles, warnings: [] };
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const folded = [...roles].filter(([name, role]) => role !== "constant" && used.has(name) && !parameters.has(name) && !others.has(name) && !statistics.has(name) && !isMask(tensors.get(name)!) && !isSinusoid(tensors.get(name)!) && tensors.get(name)!.data.some((value) => value !== 0)).map(([name]) => name);
  return { roles, warnings: warningsOf([...parameters], roles, folded, facts.optimized) };
}

/** What PyTorch's optimizer of graphs left of the parameters: it merges equal arrays and folds others. */
function warningsOf(wanted: readonly string[], roles: ReadonlyMap<string, InitializerRole>, folded: readonly string[], optimized: boolean): string[] {
  const missing = wanted.filter((name) => !roles.has(name));
  const some = (names: readonly string[]) => `${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""}`;
  // Where the optimizer did not run, a missing parameter is tied to another one.
  if (!optimized || (folded.length === 0 && missing.length === 0)) return [];
  const lost = missing.length > 0 ? `has ${wanted.length - missing.length} of the network's ${wanted.length} parameters (not ${some(missing)})` : "has all parameters";
  const rest = folded.length > 0 ? `, and arrays that were folded from others (${some(folded)})` : "";
  return [`PyTorch's exporter optimized this file for inference: it ${lost}${rest}. Training it trains another network. Export without the optimizer: ${exportRecipe}`];
}
