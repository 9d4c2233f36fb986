/** What an operator sees of its node: inputs, attributes, and the pass it belongs to. */
import { Attributes } from "./attributes.ts";
import { nodeError, type GraphError } from "./errors.ts";
import type { GraphNode } from "../../shared/models/graph.ts";
import type { Node } from "../program/node.ts";
import type { ArrayValue, Known, Value } from "./values.ts";

/** The pass that a graph is built for. */
export interface GraphPass {
  readonly opset: number;
  readonly producer: string;
  readonly training: boolean;
  /** x with entries dropped with probability p; x where nothing is dropped. */
  dropout(node: GraphNode, x: Node, p: number): Node;
  /** Sets the new value of the running statistics that `old` came from. */
  setStatistics(old: Node, value: Node): void;
  /** Values of an inner graph's outputs. */
  inner(node: GraphNode, attribute: string, inputs: readonly Value[]): Value[];
}

export class Context {
  readonly node: GraphNode;
  readonly pass: GraphPass;
  readonly attributes: Attributes;
  readonly #inputs: readonly (Value | null)[];
  readonly #constants: ReadonlyMap<string, Known>;

  constructor(node: GraphNode, inputs: readonly (Value | null)[], pass: GraphPass, constants: ReadonlyMap<string, Known>) {
    this.node = node;
    this.pass = pass;
    this.attributes = new Attributes(node, constants);
    this.#inputs = inputs;
    this.#constants = constants;
  }

  /** The same node with other attributes. */
  withAttributes(attributes: GraphNode["attributes"]): Context {
    return new Context({ ...this.node, attributes }, this.#inputs, this.pass, this.#constants);
  }

  get inputs(): readonly (Value | null)[] {
    return this.#inputs;
  }

  error(what: string): GraphError {
    return nodeError(this.node, what);
  }

  value(index: number): Value {
    const value = this.#inputs[index];
    if (!value) throw this.error(`its input ${index + 1} is missing`);
    return value;
  }

  /** An input that must be an array. */
  array(index: number): ArrayValue {
    const value = this.value(index);
    if ("items" in value) throw this.error(`its input ${index + 1} is a sequence; an array is needed`);
    return value;
  }

  optional(index: number): ArrayValue | null {
    return this.#inputs[index] ? this.array(index) : null;
  }

  arrays(): ArrayValue[] {
    return this.#inputs.map((_, index) => this.array(index));
  }

  /** An input that must not depend on the examples or weights. @param what such as "the axes" */
  known(index: number, what: string): Known {
    const value = this.array(index);
    if (!value.known) throw this.error(`${what} ("${this.node.inputs[index]}") depend on the examples or on weights; they must be constants or follow from shapes`);
    return value;
  }

  /** Numbers of a known input; null where it is left out. */
  numbers(index: number, what: string): number[] | null {
    return this.optional(index) ? [...this.known(index, what).data] : null;
  }

  /** Wraps a negative axis. */
  axis(given: number, rank: number): number {
    const axis = given < 0 ? given + rank : given;
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw this.error(`axis = ${given} is out of range for an array of ${rank} axes`);
    return axis;
  }
}
