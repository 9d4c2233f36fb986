/** Every engine takes on further procedures over the state it has. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { add, constant, mul, reduceSum, state } from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { presentEngines } from "../support/engines.ts";

const [x, n] = [state("x", [2]), state("n", [])];
const grow = makeProgram({ grow: { outputs: {}, updates: { x: add(x, constant(1)), n: add(n, constant(1)) } } });
const fresh = state("fresh", [2]);
const further = makeProgram({
  double: { outputs: { n }, updates: { x: mul(x, constant(2)), fresh: add(fresh, x) } },
  sum: { outputs: { sum: reduceSum(add(x, fresh)) } },
});

describe.each(presentEngines)("%s", (kind) => {
  const start = async () => {
    const executable = await (await loadEngine[kind]()).compile(grow, { threads: 1 });
    await executable.run("grow");
    return executable;
  };

  it("shares the state, and starts what is new at 0", async () => {
    const executable = await start();
    executable.add(further);
    expect(await executable.state()).toEqual({ x: Float64Array.of(1, 1), n: Float64Array.of(1), fresh: Float64Array.of(0, 0) });
    expect(await executable.run("double")).toEqual({ n: 1 });
    await executable.run("grow");
    expect(await executable.run("sum")).toEqual({ sum: 8 });
    executable.restore({ fresh: Float64Array.of(5, 5) });
    expect(await executable.run("sum")).toEqual({ sum: 16 });
    await executable.dispose();
  });

  it("answers the variables that are named", async () => {
    const executable = await start();
    expect(await executable.state(["n"])).toEqual({ n: Float64Array.of(1) });
    await expect(executable.state(["m"])).rejects.toThrow("there is no state variable named m");
  });

  it("refuses another shape of what it has, and a procedure twice, and stays as it was", async () => {
    const executable = await start();
    const other = makeProgram({ shrink: { outputs: {}, updates: { n: constant(0), x: state("x", [3]) } } });
    expect(() => executable.add(other)).toThrow("state x has shape [2] and [3]");
    expect(() => executable.add(grow)).toThrow("have a procedure grow");
    await expect(executable.run("shrink")).rejects.toThrow("no procedure shrink");
    expect(await executable.state()).toEqual({ x: Float64Array.of(1, 1), n: Float64Array.of(1) });
  });
});
