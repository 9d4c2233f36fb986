/** A node's attributes, by type and with defaults. */
import type { GraphNode } from "../../shared/models/graph.ts";
import { nodeError } from "./errors.ts";
import { shortest } from "./shortest.ts";
import type { Known } from "./values.ts";

export class Attributes {
  readonly #node: GraphNode;
  readonly #constants: ReadonlyMap<string, Known>;

  constructor(node: GraphNode, constants: ReadonlyMap<string, Known>) {
    this.#node = node;
    this.#constants = constants;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#node.attributes, name);
  }

  #get(name: string) {
    return this.has(name) ? this.#node.attributes[name] : undefined;
  }

  int(name: string, missing?: number): number {
    const found = this.#get(name);
    if (found?.kind === "int") return found.value;
    if (found !== undefined || missing === undefined) throw nodeError(this.#node, `the attribute ${name} must be a whole number`);
    return missing;
  }

  /** Attributes are float32; the shortest decimal is what the exporter was given. */
  float(name: string, missing: number): number {
    const found = this.#get(name);
    if (found === undefined) return missing;
    if (found.kind !== "float" && found.kind !== "int") throw nodeError(this.#node, `the attribute ${name} must be a number`);
    return found.kind === "float" ? shortest(found.value) : found.value;
  }

  text(name: string, missing: string): string {
    const found = this.#get(name);
    if (found === undefined) return missing;
    if (found.kind !== "text") throw nodeError(this.#node, `the attribute ${name} must be text`);
    return found.value;
  }

  texts(name: string): readonly string[] | null {
    const found = this.#get(name);
    if (found === undefined) return null;
    if (found.kind !== "texts") throw nodeError(this.#node, `the attribute ${name} must be a list of texts`);
    return found.value;
  }

  ints(name: string): readonly number[] | null {
    const found = this.#get(name);
    if (found === undefined) return null;
    if (found.kind === "ints") return found.value;
    if (found.kind === "floats" && found.value.length === 0) return [];
    throw nodeError(this.#node, `the attribute ${name} must be a list of whole numbers`);
  }

  floats(name: string): readonly number[] | null {
    const found = this.#get(name);
    if (found === undefined) return null;
    if (found.kind === "floats" || found.kind === "ints") return found.value.map(shortest);
    throw nodeError(this.#node, `the attribute ${name} must be a list of numbers`);
  }

  /** An attribute that is an array; the description keeps its values as an initializer. */
  array(name: string): Known | null {
    const found = this.#get(name);
    if (found === undefined) return null;
    const value = found.kind === "text" ? this.#constants.get(found.value) : undefined;
    if (!value) throw nodeError(this.#node, `the attribute ${name} must be an array`);
    return value;
  }

  /** @throws GraphError where the attribute is set to another value than those allowed */
  only(name: string, ...allowed: readonly (number | string)[]): void {
    const found = this.#get(name);
    if (found === undefined) return;
    const value = "value" in found ? found.value : "";
    if (!allowed.some((one) => one === value)) {
      const shown = (one: unknown) => (typeof one === "string" ? `"${one}"` : String(one));
      throw nodeError(this.#node, `${name} = ${shown(value)} is not supported; allowed: ${allowed.map(shown).join(", ")}`);
    }
  }
}
