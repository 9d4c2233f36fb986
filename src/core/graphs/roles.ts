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
  readonly tensors: ReadonlyMap<string, GraphTensor>;
}

const signatureKey = "pkg.torch.export.ExportedProgram.graph_signature";

/** Names of a PyTorch module's parameters and buffers; null where the file does not have them. */
export function signatureOf(metadata: Readonly<Record<string, string>>): { parameters: string[]; others: string[] } | null {
  const text = metadata[signatureKey];
  if (text === undefined) return null;
  const targets = (kind: string) => [...text.matchAll(new RegExp(`: ${kind} target='([^']*)'`, "g"))].map(([, name]) => name!);
  return { parameters: targets("PARAMETER"), others: [...targets("BUFFER"), ...targets("CONSTANT_TENSOR")] };
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

export function rolesOf(facts: RoleFacts): { roles: Map<string, InitializerRole>; warnings: string[] } {
  const { nodes, initializers, constants, tensors } = facts;
  const signature = signatureOf(facts.metadata);
  const parameters = new Set(signature?.parameters);
  const others = new Set(signature?.others);
  const statistics = new Set(nodes.filter(({ operator }) => operator === "BatchNormalization").flatMap(({ inputs }) => inputs.slice(3, 5)));
  const roles = new Map<string, InitializerRole>();
  for (const { name, dtype, shape } of initializers) {
    const tensor = tensors.get(name)!;
    const role = (): InitializerRole => {
      if (storedTypes[dtype].kind !== "float" || constants.has(name)) return "constant";
      if (statistics.has(name) || /running_(mean|var)$/.test(name)) return "statistics";
      if (parameters.has(name)) return "parameter";
      if (others.has(name) || isMask(tensor)) return "buffer";
      // Numbers that a graph calculates with, such as the root of a width.
      if (shape.length === 0 || (tensor.data.length === 1 && !/[./]|weight|bias|kernel|scale/i.test(name))) return signature || !/[./]/.test(name) ? "constant" : "parameter";
      return "parameter";
    };
    roles.set(name, role());
  }
  return { roles, warnings: signature ? warningsOf(signature.parameters, roles) : [] };
}

/** PyTorch's optimizer of graphs merges equal arrays and folds others: the file trains another model. */
function warningsOf(wanted: readonly string[], roles: ReadonlyMap<string, InitializerRole>): string[] {
  const missing = wanted.filter((name) => !roles.has(name));
  if (missing.length === 0) return [];
  const found = [...roles.values()].filter((role) => role === "parameter").length;
  const merged = found < wanted.length;
  const shown = `${missing.slice(0, 4).join(", ")}${missing.length > 4 ? ", …" : ""}`;
  return [
    `PyTorch's exporter ${merged ? `left ${found} of ${wanted.length} parameters` : `renamed ${missing.length} of ${wanted.length} parameters`} (${shown}): ${merged ? "equal arrays were merged into one, or folded into others, and training this file trains another model" : "they were transposed or folded into arrays without their names"}. Export without its optimizer: ${exportRecipe}`,
  ];
}
