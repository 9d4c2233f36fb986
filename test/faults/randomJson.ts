/** Random inputs: made after a JSON schema and then bent, or of no form at all. The same seed makes the same. */
import { randomOf } from "./random.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { readonly [key: string]: unknown };

const strings = ["", "a", "__proto__", "constructor", "../../etc/passwd", "/dev/zero", "own/../x", "x".repeat(300), "\u0000", "\u202e", "=1+1", "NaN", "1e999", "-1", "last", "best", "mnist", "loss", "L0.alpha", "🙂"];
const numbers = [0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 1e-320, 5e-324, 4096];
const names = ["id", "run", "runs", "study", "name", "kind", "path", "__proto__", "constructor", "toString", "length", "0"];

export class RandomJson {
  readonly #next: () => number;
  /** Strings that mean something here, such as ids of runs that exist. */
  readonly #known: readonly string[];

  constructor(seed: number, known: readonly string[]) {
    this.#next = randomOf(seed);
    this.#known = known;
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** A value of any form. */
  any(depth = 3): Json {
    switch (this.below(depth > 0 ? 7 : 5)) {
      case 0:
        return null;
      case 1:
        return this.below(2) === 0;
      case 2:
        return this.of(numbers);
      case 3:
        return this.of(strings);
      case 4:
        return this.#known.length > 0 ? this.of(this.#known) : "";
      case 5:
        return Array.from({ length: this.below(5) }, () => this.any(depth - 1));
      default:
        return Object.fromEntries(Array.from({ length: this.below(4) }, () => [this.of(names), this.any(depth - 1)]));
    }
  }

  /** A value after the schema, in which about one part in `oneIn` is of any other form. */
  after(schema: unknown, oneIn: number, depth = 8): Json {
    if (depth === 0 || this.below(oneIn) === 0 || typeof schema !== "object" || schema === null) return this.any(1);
    const of = schema as Schema;
    const choices = (of["anyOf"] ?? of["oneOf"]) as unknown[] | undefined;
    if (choices) return this.after(this.of(choices), oneIn, depth - 1);
    if (Array.isArray(of["enum"])) return this.of(of["enum"] as Json[]);
    if ("const" in of) return of["const"] as Json;
    switch (of["type"]) {
      case "object":
        return this.#object(of, oneIn, depth);
      case "array": {
        const most = Math.min(Number(of["maxItems"] ?? 6), 6);
        return Array.from({ length: Math.max(Number(of["minItems"] ?? 0), this.below(most + 1)) }, () => this.after(of["items"], oneIn, depth - 1));
      }
      case "string":
        return this.#known.length > 0 && this.below(3) > 0 ? this.of(this.#known) : this.of(strings);
      case "integer":
      case "number":
        return this.below(3) === 0 ? this.of(numbers) : this.below(20);
      case "boolean":
        return this.below(2) === 0;
      case "null":
        return null;
      default:
        return this.any(2);
    }
  }

  #object(of: Schema, oneIn: number, depth: number): Json {
    const properties = (of["properties"] ?? {}) as Record<string, unknown>;
    const required = new Set((of["required"] ?? []) as string[]);
    const made: Record<string, Json> = {};
    for (const [name, schema] of Object.entries(properties)) {
      if (required.has(name) ? this.below(oneIn) === 0 : this.below(2) === 0) continue;
      made[name] = this.after(schema, oneIn, depth - 1);
    }
    if (this.below(oneIn) === 0) made[this.of(names)] = this.any(1);
    return made;
  }
}
