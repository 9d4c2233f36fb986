/** Many runs as one program compute, each, what one run computes alone: every operation, and whole training runs. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { batched, membersInput, resultsOf } from "../../../src/core/program/batching/batched.ts";
import { sizeOf, type OpName } from "../../../src/core/program/node.ts";
import { add, constant, input, mul, operations, reduceSum, state } from "../../../src/core/program/operations/index.ts";
import { makeProgram, type Program } from "../../../src/core/program/program.ts";
import { samples, sampleState } from "../../support/operationSamples.ts";

const runs = 3;
type Values = Readonly<Record<string, Float64Array>>;

/** Of all runs, one after the other. */
const joined = (values: readonly Float64Array[]) => Float64Array.from(values.flatMap((one) => [...one]));
const partOf = (values: Float64Array, run: number) => values.slice((run * values.length) / runs, ((run + 1) * values.length) / runs);

/** Another value for another run, within what the operation is defined for: class indices stay whole. */
const varied = (name: string, values: Float64Array, run: number) => values.map((value) => (name === "classes" ? (value + run) % 3 : value * (1 + run / 8)));

function alone(program: Program, inputs: Values, states: Values) {
  const executable = new ReferenceExecutable(program);
  executable.restore(Object.fromEntries(program.state.map(({ name, shape }) => [name, states[name] ?? new Float64Array(sizeOf(shape))])));
  const outputs = executable.runNow("run", inputs);
  return { outputs, state: executable.stateNow() };
}

describe("every operation's batching rule", () => {
  for (const op of Object.keys(operations) as OpName[]) {
    for (const { what, inputs, result } of samples[op]) {
      const program = makeProgram({ run: { outputs: { sum: result.shape.length === 0 ? result : reduceSum(result) }, updates: { result } } });
      const names = program.procedures["run"]!.inputs.map(({ attributes }) => attributes.name);
      // Every choice of inputs that all runs share.
      for (let choice = 0; choice < 2 ** names.length; choice++) {
        const shared = new Set(names.filter((_, i) => choice & (1 << i)));
        it(`${op}: ${what}${shared.size > 0 ? `, ${[...shared].join(" and ")} shared` : ""}`, () => {
          const given = (run: number): Values =>
            Object.fromEntries(inputs.map(({ node, values }) => [node.op === "input" ? node.attributes.name : "", values] as const).map(([name, values]) => [name, shared.has(name) ? values : varied(name, values, run)]));
          const states = (run: number): Values => Object.fromEntries(Object.entries(sampleState).map(([name, values]) => [name, varied(name, values, run)]));
          const expected = Array.from({ length: runs }, (_, run) => alone(program, given(run), states(run)));

          const together = batched(program, runs, { shared: (name) => shared.has(name) });
          const cohort = new ReferenceExecutable(together);
          const all = Array.from({ length: runs }, (_, run) => states(run));
          for (const { name } of program.state) if (name in sampleState) cohort.restore({ [name]: joined(all.map((one) => one[name]!)) });
          cohort.runNow("run", Object.fromEntries(names.map((name) => [name, shared.has(name) ? given(0)[name]! : joined(Array.from({ length: runs }, (_, run) => given(run)[name]!))])));
          const after = cohort.stateNow();
          expected.forEach(({ outputs, state }, run) => {
            for (const [i, value] of partOf(after["result"]!, run).entries()) expect(value, `run ${run}, place ${i}`).toBeCloseTo(state["result"]![i]!, 12);
            expect(after[resultsOf("run")]![run]).toBeCloseTo(outputs["sum"]!, 12);
          });
        });
      }
    }
  }
});

describe("batched()", () => {
  const counting = makeProgram({
    run: { outputs: { seen: mul(input("x", []), state("total", [])), always: constant(4) }, updates: { total: add(state("total", []), input("x", [])), flag: constant(7) } },
  });

  it("answers every output for every run, also one that is the same for all", () => {
    const executable = new ReferenceExecutable(batched(counting, 2));
    executable.restore({ total: Float64Array.of(10, 20) });
    executable.runNow("run", { x: Float64Array.of(1, 2) });
    expect(executable.stateNow()).toEqual({ total: Float64Array.of(11, 22), flag: Float64Array.of(7, 7), [resultsOf("run")]: Float64Array.of(10, 40, 4, 4) });
  });

  it("leaves the state of runs that do not take part as it is, whatever they compute", () => {
    const executable = new ReferenceExecutable(batched(counting, 3, { masked: true }));
    executable.restore({ total: Float64Array.of(10, NaN, 30) });
    executable.runNow("run", { x: Float64Array.of(1, Infinity, 3), [membersInput]: Float64Array.of(1, 0, 1) });
    executable.runNow("run", { x: Float64Array.of(1, 2, NaN), [membersInput]: Float64Array.of(1, 0, 0) });
    const { total, flag } = executable.stateNow();
    expect(total).toEqual(Float64Array.of(12, NaN, 33));
    expect(flag).toEqual(Float64Array.of(7, 0, 7));
  });

  it("refuses a cohort of no runs", () => {
    expect(() => batched(counting, 0)).toThrow("a cohort has 0 runs; allowed: whole numbers from 1");
    expect(() => batched(counting, 1.5)).toThrow("a cohort has 1.5 runs");
  });
});
