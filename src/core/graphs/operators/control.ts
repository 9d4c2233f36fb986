/** Sequences, and branches and loops whose course does not depend on the examples. */
import { concat } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, known, nodeOf, type ArrayValue, type Sequence, type Value } from "../values.ts";
import { takeAlong } from "./indexing.ts";
import type { Operators } from "./operator.ts";
import { reshaped, splitBy } from "./shapes.ts";

/** Runs of a loop's body; more would build a program without end. */
const maxIterations = 4096;

function sequence(context: Context, index: number): Sequence {
  const value = context.value(index);
  if (!("items" in value)) throw context.error(`its input ${index + 1} must be a sequence`);
  return value;
}

function splitToSequence(context: Context): readonly Value[] {
  const x = context.array(0);
  const axis = context.axis(context.attributes.int("axis", 0), x.shape.length);
  const size = x.shape[axis]!;
  const given = context.optional(1) ? context.known(1, "the sizes") : null;
  const each = given === null ? 1 : given.shape.length === 0 ? given.data[0]! : null;
  if (each !== null && each < 1) throw context.error(`parts of ${each} are not allowed; allowed: whole numbers from 1`);
  const sizes = each === null ? [...given!.data] : Array.from({ length: Math.ceil(size / each) }, (_, i) => Math.min(each, size - i * each));
  const parts = splitBy(x, axis, sizes);
  const drops = given === null && context.attributes.int("keepdims", 1) === 0;
  return [{ items: drops ? parts.map((part) => reshaped(part, part.shape.filter((_, a) => a !== axis))) : parts }];
}

function entryOf(context: Context): readonly Value[] {
  const { items } = sequence(context, 0);
  const given = context.known(1, "the position").data[0]!;
  const item = items[given < 0 ? given + items.length : given];
  if (!item) throw context.error(`the position ${given} is out of range for a sequence of ${items.length}`);
  return [item];
}

function concatSequence(context: Context): readonly Value[] {
  const { items } = sequence(context, 0);
  const isNew = context.attributes.int("new_axis", 0) === 1;
  return [stackedOf(context, items, context.attributes.int("axis"), isNew)];
}

function stackedOf(context: Context, items: readonly ArrayValue[], axisGiven: number, isNew: boolean): ArrayValue {
  const rank = items[0]?.shape.length ?? 0;
  const axis = context.axis(axisGiven, rank + Number(isNew));
  const parts = isNew ? items.map((item) => reshaped(item, [...item.shape.slice(0, axis), 1, ...item.shape.slice(axis)])) : items;
  return computed(concat(parts.map(nodeOf), axis));
}

function branch(context: Context): readonly Value[] {
  const condition = context.known(0, "the condition").data[0]!;
  return context.pass.inner(context.node, condition === 0 ? "else_branch" : "then_branch", []);
}

function loop(context: Context): readonly Value[] {
  const trips = context.optional(0) ? context.known(0, "the number of iterations").data[0]! : Infinity;
  let goesOn = context.optional(1) ? context.known(1, "the condition").data[0] !== 0 : true;
  let carried = context.inputs.slice(2).map((_, i) => context.value(i + 2));
  const count = carried.length;
  const scans: ArrayValue[][] = Array.from({ length: context.node.outputs.length - count }, () => []);
  for (let i = 0; i < trips && goesOn; i++) {
    if (i >= maxIterations) throw context.error(`it runs more than ${maxIterations} times; at most ${maxIterations} are allowed`);
    const [condition, ...rest] = context.pass.inner(context.node, "body", [known("int", [], [i]), known("bool", [], [1]), ...carried]);
    if (!condition || "items" in condition) throw context.error("the condition of its body must be an array");
    if (!condition.known && trips === Infinity) throw context.error("its condition depends on the examples; a fixed number of iterations is needed");
    goesOn = !condition.known || condition.data[0] !== 0;
    carried = rest.slice(0, count);
    rest.slice(count).forEach((value, k) => {
      if (!("items" in value)) scans[k]?.push(value);
    });
  }
  return [...carried, ...scans.map((items) => stackedOf(context, items, 0, true))];
}

function scan(context: Context): readonly Value[] {
  const { attributes } = context;
  const scanned = attributes.int("num_scan_inputs");
  const states = context.inputs.length - scanned;
  const axes = attributes.ints("scan_input_axes") ?? Array.from({ length: scanned }, () => 0);
  const backwards = attributes.ints("scan_input_directions") ?? axes.map(() => 0);
  const xs = axes.map((_, i) => context.array(states + i));
  const steps = xs[0]!.shape[context.axis(axes[0]!, xs[0]!.shape.length)]!;
  if (steps > maxIterations) throw context.error(`it runs ${steps} times; at most ${maxIterations} are allowed`);
  let carried: Value[] = Array.from({ length: states }, (_, i) => context.value(i));
  const outputs = context.node.outputs.length - states;
  const scans: ArrayValue[][] = Array.from({ length: outputs }, () => []);
  for (let i = 0; i < steps; i++) {
    const entries = xs.map((x, k) => {
      const axis = context.axis(axes[k]!, x.shape.length);
      const entry = takeAlong(x, axis, [backwards[k] === 1 ? steps - 1 - i : i]);
      return reshaped(entry, entry.shape.filter((_, a) => a !== axis));
    });
    const results = context.pass.inner(context.node, "body", [...carried, ...entries]);
    carried = results.slice(0, states);
    results.slice(states).forEach((value, k) => {
      if (!("items" in value)) scans[k]?.push(value);
    });
  }
  const outAxes = attributes.ints("scan_output_axes") ?? scans.map(() => 0);
  const outBackwards = attributes.ints("scan_output_directions") ?? scans.map(() => 0);
  return [...carried, ...scans.map((items, k) => stackedOf(context, outBackwards[k] === 1 ? items.reverse() : items, outAxes[k]!, true))];
}

export const controlOperators: Operators = {
  SplitToSequence: splitToSequence,
  SequenceAt: entryOf,
  SequenceLength: (context) => [known("int", [], [sequence(context, 0).items.length])],
  SequenceConstruct: (context) => [{ items: context.arrays() }],
  SequenceEmpty: () => [{ items: [] }],
  SequenceInsert: (context) => {
    const items = [...sequence(context, 0).items];
    const at = context.optional(2) ? context.known(2, "the position").data[0]! : items.length;
    items.splice(at < 0 ? at + items.length : at, 0, context.array(1));
    return [{ items }];
  },
  ConcatFromSequence: concatSequence,
  If: branch,
  Loop: loop,
  Scan: scan,
};
