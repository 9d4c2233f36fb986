/** Checks of random programs: every way to execute a program agrees with the float64 reference of the unchanged program. */
import fc from "fast-check";
import type { Engine, Executable, InputValue, StateValues } from "../../src/core/engines/engine.ts";
import { evaluate } from "../../src/core/engines/reference/kernels.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { batched } from "../../src/core/program/batching/batched.ts";
import type { Node } from "../../src/core/program/node.ts";
import { makeProgram, nodesOf, type Program } from "../../src/core/program/program.ts";
import { simplify } from "../../src/core/program/simplify.ts";
import { listing, programOf, recipes, type RandomProgram } from "./randomPrograms.ts";
import { specialRecipes, specialRoots } from "./randomSpecials.ts";

/** Tolerance, relative to the largest number that a program computes anywhere. */
const allowed = { float64: 1e-9, float32: 2e-4 } as const;

const steps = 2;
/** Larger values cannot be compared in float32. */
const comparable = 100;

interface Step {
  readonly state: StateValues;
  readonly total: number;
  /** Largest computed number. */
  readonly scale: number;
}

/** Evaluates the unchanged program in float64, node by node. */
function expectedSteps({ spec, inputs, state }: RandomProgram): Step[] {
  const order = nodesOf(spec);
  let current: StateValues = state;
  const all: Step[] = [];
  for (let step = 0; step < steps; step++) {
    const values = new Map<Node, Float64Array>();
    let scale = 1;
    for (const node of order) {
      const value = node.op === "input" ? Float64Array.from(inputs[node.attributes.name]!) : node.op === "state" ? current[node.attributes.name]! : evaluate(node, node.inputs.map((input) => values.get(input)!));
      values.set(node, value);
      for (const x of value) scale = Math.max(scale, Number.isNaN(x) ? Infinity : Math.abs(x));
    }
    current = { ...current, ...Object.fromEntries(Object.entries(spec.updates).map(([name, node]) => [name, values.get(node)!])) };
    all.push({ state: current, total: values.get(spec.outputs["total"]!)![0]!, scale });
  }
  return all;
}

function compare(what: string, ours: ArrayLike<number> | undefined, expected: ArrayLike<number>, within: number): void {
  if (ours?.length !== expected.length) throw new Error(`${what} has ${ours?.length ?? "no"} values instead of ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(ours[i]! - expected[i]!) <= within)) throw new Error(`${what}[${i}] is ${ours[i]} instead of ${expected[i]}: [${Array.from(ours).join(", ")}] instead of [${Array.from(expected).join(", ")}]`);
  }
}

async function withProgram(random: Pick<RandomProgram, "spec">, what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}\n${listing(random.spec)}`, { cause: error });
  }
}

async function executing(engine: Engine, program: Program, state: StateValues, body: (executable: Executable) => Promise<void>): Promise<void> {
  const executable = await engine.compile(program, { threads: 1 });
  try {
    executable.restore(state);
    await body(executable);
  } finally {
    await executable.dispose();
  }
}

/** Includes the variables that simplification finds unused. */
function simplifiedProgram({ spec }: Pick<RandomProgram, "spec">): Program {
  const variables = nodesOf(spec).flatMap((node) => (node.op === "state" ? [{ name: node.attributes.name, shape: node.shape }] : []));
  return makeProgram({ run: spec }, variables);
}

const precisionOf = (engine: Engine) => engine.describe({ threads: 1 }).precision;

/** Runs the program on an engine, simplified and split as engines do. */
async function checkAlone(engine: Engine, random: RandomProgram): Promise<void> {
  const expected = expectedSteps(random);
  await executing(engine, simplifiedProgram(random), random.state, async (executable) => {
    for (const [i, { state, total, scale }] of expected.entries()) {
      const answer = await executable.run("run", random.inputs);
      if (!(scale <= comparable)) return;
      const within = allowed[precisionOf(engine)] * scale;
      const ours = await executable.state();
      for (const [name, values] of Object.entries(state)) compare(`step ${i + 1}, ${name}`, ours[name], values, within);
      compare(`step ${i + 1}, total`, [answer["total"]!], [total], within * 10);
    }
  });
}

const runs = 3;

/** Values of another run: a permutation, so that they stay exact in float32 and indices stay in range. */
function forRun<T extends InputValue>(values: Readonly<Record<string, T>>, run: number): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.map((_, i) => value[(i + run) % value.length]!) as T]));
}

/** Three runs as one program, each with its own values, or with shared inputs. */
async function checkBatched(engine: Engine, random: RandomProgram): Promise<void> {
  const shared = (name: string) => name.endsWith("0");
  const others = Array.from({ length: runs }, (_, run): RandomProgram => {
    const moved = forRun(random.inputs, run);
    return { spec: random.spec, state: forRun(random.state, run) as RandomProgram["state"], inputs: Object.fromEntries(Object.entries(moved).map(([name, value]) => [name, shared(name) ? random.inputs[name]! : value])) };
  });
  const expected = others.map((other) => expectedSteps(other)[0]!);
  const scale = Math.max(...expected.map((one) => one.scale));
  if (!(scale <= comparable)) return;
  const joined = (parts: readonly ArrayLike<number>[]) => Float64Array.from(parts.flatMap((part) => Array.from(part)));
  const together = (of: (one: RandomProgram) => Readonly<Record<string, InputValue>>) => Object.fromEntries(Object.keys(of(random)).map((name) => [name, joined(others.map((one) => of(one)[name]!))]));
  const inputs = Object.fromEntries(Object.entries(together((one) => one.inputs)).map(([name, all]) => [name, shared(name) ? random.inputs[name]! : all]));
  await executing(engine, batched(simplifiedProgram(random), runs, { shared }), together((one) => one.state), async (executable) => {
    await executable.run("run", inputs);
    const ours = await executable.state();
    for (const name of Object.keys(expected[0]!.state)) compare(name, ours[name], joined(expected.map(({ state }) => state[name]!)), allowed[precisionOf(engine)] * scale);
  });
}

export interface RandomRun {
  readonly seed: number;
  readonly programs: number;
}

const settings = ({ seed, programs }: RandomRun) => ({ seed, numRuns: programs, includeErrorInReport: true }) as const;

/** @throws Error with the seed and the smallest program found that fails */
export async function checkEngine(kind: string, engine: Engine, run: RandomRun): Promise<void> {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const random = programOf(recipe);
      await withProgram(random, kind, () => checkAlone(engine, random));
    }),
    settings(run),
  );
}

/** @throws Error with the seed and the smallest program found that fails */
export async function checkBatching(kind: string, engine: Engine, run: RandomRun): Promise<void> {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const random = programOf(recipe);
      await withProgram(random, `${runs} runs as one on ${kind}`, () => checkBatched(engine, random));
    }),
    settings(run),
  );
}

/** Checks only simplification, including constants that are infinite, NaN or negative zero. @throws Error as above */
export async function checkSimplify(run: RandomRun): Promise<void> {
  await checkEngine("simplify", referenceEngine, run);
  fc.assert(
    fc.property(specialRecipes, (recipe) => {
      const { roots, values } = specialRoots(recipe);
      const valuesOf = (of: readonly Node[]) => {
        const known = new Map<Node, Float64Array>();
        for (const node of nodesOf({ outputs: {}, updates: Object.fromEntries(of.entries()) })) {
          known.set(node, node.op === "input" ? values[node.attributes.name]! : evaluate(node, node.inputs.map((input) => known.get(input)!)));
        }
        return of.map((node) => [...known.get(node)!]);
      };
      const [written, simplified] = [valuesOf(roots), valuesOf(simplify(roots))];
      written.forEach((expected, i) => {
        for (const [j, x] of expected.entries()) {
          const ours = simplified[i]![j]!;
          const same = Number.isFinite(x) ? Math.abs(ours - x) <= 1e-9 * Math.max(1, Math.abs(x)) : Object.is(ours, x);
          if (!same) throw new Error(`simplify: result${i}[${j}] is ${ours} instead of ${x}\n${listing({ outputs: {}, updates: { [`result${i}`]: roots[i]! } })}`);
        }
      });
    }),
    settings({ ...run, programs: run.programs * 4 }),
  );
}
