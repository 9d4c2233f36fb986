/** The boxes and arrows of a network's picture: modules in modules, closed ones as one box. */
import { groupOf, type NamedPart } from "@shared/groups.ts";
import type { NetworkNode, NetworkPicture } from "@shared/networks.ts";
import { plural } from "@shared/text.ts";

export interface DrawnParameter {
  readonly name: string;
  readonly shape: string;
  /** Of the tower's lowest level; null for the rest. */
  readonly group: string | null;
}

export interface Box {
  readonly id: string;
  /** Open module around it; null for none. */
  readonly parent: string | null;
  readonly kind: "end" | "node" | "closed" | "open";
  readonly title: string;
  readonly detail: string;
  /** Output for one example. */
  readonly shape: string;
  readonly parameters: readonly DrawnParameter[];
  /** Groups of its parameters, each once. */
  readonly groups: readonly string[];
  /** Full names, to find it by. */
  readonly names: readonly string[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
}

interface Module {
  readonly path: string;
  readonly parent: Module | null;
  readonly title: string;
  readonly children: Module[];
  /** Positions of its nodes, those of inner modules included. */
  readonly nodes: number[];
}

const inputId = "input";
const outputId = "output";
const idOf = (node: number) => `node ${node}`;
const shapeText = (shape: readonly number[]) => shape.join(" × ") || "1";

/** Boxes that a picture begins with, at most, unless the outermost modules are more. */
const firstBoxes = 40;
/** Boxes of a picture at most: the time that placing them takes grows faster than their number. */
export const maxBoxes = 300;

export class ModuleTree {
  readonly picture: NetworkPicture;
  readonly roots: Module[] = [];
  readonly #modules = new Map<string, Module>();
  /** Innermost module of each node; null where there is none. */
  readonly #innermost: (Module | null)[];

  constructor(picture: NetworkPicture) {
    this.picture = picture;
    this.#innermost = picture.nodes.map(({ module }, at) => {
      let inner: Module | null = null;
      const parts = module === "" ? [] : module.split(".");
      parts.forEach((title, depth) => {
        inner = this.#moduleAt(parts.slice(0, depth + 1).join("."), title, inner);
        inner.nodes.push(at);
      });
      return inner;
    });
  }

  /** Modules to open, from the outside, so that there are about `limit` boxes at most. */
  outermost(limit = firstBoxes): Set<string> {
    const open = new Set<string>();
    let boxes = 2 + this.roots.length + this.#innermost.filter((module) => module === null).length;
    const waiting = this.roots.filter(isDrawn);
    for (let module = waiting.shift(); module; module = waiting.shift()) {
      const inside = module.children.length + module.nodes.filter((node) => this.#innermost[node] === module).length;
      if (boxes + inside > limit && inside > 1) continue;
      boxes += inside;
      open.add(module.path);
      waiting.push(...module.children.filter(isDrawn));
    }
    return open;
  }

  draw(open: ReadonlySet<string>, groups: readonly NamedPart[]): { readonly boxes: Box[]; readonly arrows: Arrow[] } {
    const { nodes, input, output } = this.picture;
    const boxes = new Map<string, Box>();
    const end = (id: string, title: string, name: string, shape: string): Box => ({ id, parent: null, kind: "end", title, detail: name, shape, parameters: [], groups: [], names: [name] });
    boxes.set(inputId, end(inputId, "Input", input, ""));
    const shown = nodes.map((node, at) => {
      const chain = this.#chain(at);
      const closed = chain.find((module) => !open.has(module.path));
      chain.slice(0, closed ? chain.indexOf(closed) : undefined).forEach((module) => boxes.set(module.path, this.#moduleBox(module, "open", groups)));
      const id = closed?.path ?? idOf(at);
      if (!boxes.has(id)) boxes.set(id, closed ? this.#moduleBox(closed, "closed", groups) : this.#nodeBox(node, at, chain.at(-1) ?? null, groups));
      return id;
    });
    const makers = new Map<string, string>([[input, inputId]]);
    const arrows = new Map<string, Arrow>();
    const connect = (value: string, to: string) => {
      const from = makers.get(value);
      if (from !== undefined && from !== to) arrows.set(`${from}\n${to}`, { from, to });
    };
    nodes.forEach((node, at) => {
      node.inputs.forEach((value) => connect(value, shown[at]!));
      node.outputs.forEach((value) => makers.set(value, shown[at]!));
    });
    const last = nodes.findLast((node) => node.outputs.includes(output));
    boxes.set(outputId, end(outputId, "Output", output, last ? shapeText(last.shape) : ""));
    connect(output, outputId);
    return { boxes: [...boxes.values()], arrows: [...arrows.values()] };
  }

  /** For each node that the text finds by a name, the modules around it, outermost first. */
  around(text: string): string[][] {
    return this.picture.nodes.flatMap((node, at) => (includes(namesOf(node), text) ? [this.#chain(at).map(({ path }) => path)] : []));
  }

  #moduleAt(path: string, title: string, parent: Module | null): Module {
    const found = this.#modules.get(path);
    if (found) return found;
    const made: Module = { path, parent, title, children: [], nodes: [] };
    this.#modules.set(path, made);
    (parent?.children ?? this.roots).push(made);
    return made;
  }

  /** Drawn modules around a node, outermost first. */
  #chain(at: number): Module[] {
    const chain: Module[] = [];
    for (let module = this.#innermost[at] ?? null; module; module = module.parent) if (isDrawn(module)) chain.unshift(module);
    return chain;
  }

  #moduleBox(module: Module, kind: "open" | "closed", groups: readonly NamedPart[]): Box {
    const inside = module.nodes.map((at) => this.picture.nodes[at]!);
    const parameters = inside.flatMap((node) => parametersOf(node, groups));
    return {
      ...ofParameters(parameters),
      id: module.path,
      parent: drawnAround(module.parent)?.path ?? null,
      kind,
      title: titleIn(module.path, drawnAround(module.parent)),
      detail: plural(inside.length, "node"),
      shape: shapeText(inside.at(-1)?.shape ?? []),
      names: kind === "open" ? [module.path] : [module.path, ...inside.flatMap(namesOf)],
    };
  }

  #nodeBox(node: NetworkNode, at: number, around: Module | null, groups: readonly NamedPart[]): Box {
    const inner = this.#innermost[at];
    // A module of one node is drawn as the node, under the module's name.
    const title = inner && !isDrawn(inner) ? titleIn(inner.path, around) : node.operator;
    return { ...ofParameters(parametersOf(node, groups)), id: idOf(at), parent: around?.path ?? null, kind: "node", title, detail: title === node.title ? "" : node.title, shape: shapeText(node.shape), names: namesOf(node) };
  }
}

const isDrawn = ({ nodes }: Module): boolean => nodes.length > 1;

function drawnAround(module: Module | null): Module | null {
  return module && !isDrawn(module) ? drawnAround(module.parent) : module;
}

const titleIn = (path: string, around: Module | null) => (around ? path.slice(around.path.length + 1) : path);
const namesOf = (node: NetworkNode): string[] => [node.name, node.module, node.operator, ...node.parameters.map(({ name }) => name)];

function parametersOf(node: NetworkNode, groups: readonly NamedPart[]): DrawnParameter[] {
  return node.parameters.map(({ name, shape }) => ({ name, shape: shapeText(shape), group: groupOf(groups, name)?.name ?? null }));
}

function ofParameters(parameters: readonly DrawnParameter[]): Pick<Box, "parameters" | "groups"> {
  return { parameters, groups: [...new Set(parameters.flatMap(({ group }) => group ?? []))] };
}

/** Whether a name includes the text; never for an empty text. */
export function includes(names: readonly string[], text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return wanted !== "" && names.some((name) => name.toLowerCase().includes(wanted));
}
