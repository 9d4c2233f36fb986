/** The module that a node belongs to, from what exporters write into names and metadata. */
import type { FileNode } from "./onnxFile.ts";

/** A list of quoted texts as Python prints it. */
function pythonList(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? "");
}

/** Path of a node's module, dotted; "" where the file does not tell. */
export function moduleOf({ name, operator, metadata }: Pick<FileNode, "name" | "operator" | "metadata">): string {
  const scopes = metadata["pkg.torch.onnx.name_scopes"];
  if (scopes !== undefined) {
    const module = pythonList(scopes).slice(0, -1).at(-1) ?? "";
    return module.startsWith("_empty_nn_module_stack") ? "" : module;
  }
  const parts = name.split("/").filter((part) => part !== "");
  if (parts.length < 2) return "";
  // "/layers/layers.0/conv1/Conv": a part that repeats the one before it replaces it.
  const path: string[] = [];
  for (const part of parts.slice(0, -1)) {
    const before = path.at(-1);
    if (before !== undefined && part.startsWith(`${before}.`)) path[path.length - 1] = part;
    else if (part !== operator) path.push(part);
  }
  return path.join(".");
}
