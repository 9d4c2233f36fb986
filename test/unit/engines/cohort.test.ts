/** Many runs on one engine: each has its seat, and none can tell that there are others. */
import { describe, expect, it } from "vitest";
import { compileCohort, type Seat } from "../../../src/core/engines/cohort.ts";
import type { Engine, Executable, InputValue } from "../../../src/core/engines/engine.ts";
import { ReferenceExecutable, referenceEngine } from "../../../src/core/engines/reference/engine.ts";
import { level, smallProblem } from "../../support/problems.ts";

const problems = [1, 2, 3].map((seed) => smallProblem([level("adam"), level("sgd", { alpha: 1e-5 })], { seed }));
const { program } = problems[0]!.training;
const batchOf = (run: number, step: number) => problems[run]!.batch(step + 10 * run);

async function cohort(engine: Engine = referenceEngine): Promise<Seat[]> {
  const seats = await compileCohort(engine, program, problems.length, { threads: 1 });
  seats.forEach((seat, run) => seat.restore(problems[run]!.initialState));
  return seats;
}

async function alone(run: number): Promise<Executable> {
  const executable = await referenceEngine.compile(program, { threads: 1 });
  executable.restore(problems[run]!.initialState);
  return executable;
}

async function advance(executable: Executable, run: number, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) losses.push((await executable.run(`${step === 0 ? "begin" : "step"}@16`, batchOf(run, step)))["loss"]!);
  return losses;
}

/** Counts what is executed, and keeps the names and the inputs. */
function watched(): { engine: Engine; calls: { name: string; inputs: Readonly<Record<string, InputValue>> }[] } {
  const calls: { name: string; inputs: Readonly<Record<string, InputValue>> }[] = [];
  const engine: Engine = {
    ...referenceEngine,
    compile: (of) => {
      const executable = new ReferenceExecutable(of);
      const run = executable.run.bind(executable);
      executable.run = (name, inputs = {}) => {
        calls.push({ name, inputs });
        return run(name, inputs);
      };
      return Promise.resolve(executable);
    },
  };
  return { engine, calls };
}

describe("a cohort", () => {
  it("executes a step once for all of its runs", async () => {
    const { engine, calls } = watched();
    const seats = await cohort(engine);
    const losses = await Promise.all(seats.map((seat, run) => advance(seat, run, 0, 3)));
    expect(calls.map(({ name }) => name)).toEqual(["begin@16", "step@16", "step@16"]);
    for (const [run, ours] of losses.entries()) expect(ours).toEqual(await advance(await alone(run), run, 0, 3));
  });

  it("hands inputs on as they are when all runs give the same", async () => {
    const { engine, calls } = watched();
    const seats = await cohort(engine);
    const { features, labels } = batchOf(0, 0);
    // Views of the same memory are the same too.
    await Promise.all(seats.map((seat) => seat.run("begin@16", { features: features.subarray(0), labels })));
    expect(calls[0]!.name).toBe("begin@16 with one features and labels");
    expect(calls[0]!.inputs["features"]!.length).toBe(features.length);
    const expected = await alone(1);
    await expected.run("begin@16", { features, labels });
    expect(await seats[1]!.state()).toEqual(await expected.state());
  });

  it("keeps runs apart that ask for different procedures, and waits for those that fall behind", async () => {
    const seats = await cohort();
    await Promise.all(seats.map((seat, run) => advance(seat, run, 0, 2)));
    // One settles and evaluates while the others train on.
    const [settled] = await Promise.all([
      seats[0]!
        .run("settle")
        .then(() => seats[0]!.run("evaluate@16", batchOf(0, 9)))
        .finally(() => seats[0]!.rest()),
      advance(seats[1]!, 1, 2, 4),
      advance(seats[2]!, 2, 2, 4),
    ]);
    const others = await Promise.all([0, 1, 2].map(alone));
    await Promise.all(others.map((one, run) => advance(one, run, 0, run === 0 ? 2 : 4)));
    await others[0]!.run("settle");
    expect(settled).toEqual(await others[0]!.run("evaluate@16", batchOf(0, 9)));
    for (const [run, one] of others.entries()) expect(await seats[run]!.state()).toEqual(await one.state());
  });

  it("goes on without a run that rests, whose state stays, and with it again", async () => {
    const seats = await cohort();
    await Promise.all(seats.map((seat, run) => advance(seat, run, 0, 2)));
    const before = await seats[1]!.state();
    seats[1]!.rest();
    const [first, third] = await Promise.all([advance(seats[0]!, 0, 2, 5), advance(seats[2]!, 2, 2, 5)]);
    expect(await seats[1]!.state()).toEqual(before);
    seats[1]!.rejoin();
    const rest = await Promise.all([advance(seats[0]!, 0, 5, 8), advance(seats[1]!, 1, 2, 5), advance(seats[2]!, 2, 5, 8)]);
    expect([...first, ...rest[0]!]).toEqual((await advance(await alone(0), 0, 0, 8)).slice(2));
    expect(rest[1]).toEqual((await advance(await alone(1), 1, 0, 5)).slice(2));
    expect([...third, ...rest[2]!]).toEqual((await advance(await alone(2), 2, 0, 8)).slice(2));
  });

  it("lets a run diverge and leave without a trace in the others", async () => {
    const seats = await cohort();
    seats[0]!.restore({ ...problems[0]!.initialState, "L0.alpha": Float64Array.of(Infinity) });
    const diverging = advance(seats[0]!, 0, 0, 3).then(async (losses) => {
      await seats[0]!.dispose();
      return losses;
    });
    const [lost, ...kept] = await Promise.all([diverging, advance(seats[1]!, 1, 0, 8), advance(seats[2]!, 2, 0, 8)]);
    expect(lost.at(-1)).toBeNaN();
    expect(kept[0]).toEqual(await advance(await alone(1), 1, 0, 8));
    expect(kept[1]).toEqual(await advance(await alone(2), 2, 0, 8));
    await expect(seats[0]!.run("settle")).rejects.toThrow("run 0 has left its cohort");
  });

  it("restores one run in the middle, and it goes on bit for bit", async () => {
    const seats = await cohort();
    await Promise.all(seats.map((seat, run) => advance(seat, run, 0, 2)));
    const back = await seats[2]!.state();
    const first = await Promise.all(seats.map((seat, run) => advance(seat, run, 2, 5)));
    seats[2]!.restore(back);
    expect(await seats[2]!.state(["L0.alpha"])).toEqual({ "L0.alpha": back["L0.alpha"] });
    const again = await Promise.all([advance(seats[0]!, 0, 5, 8), advance(seats[1]!, 1, 5, 8), advance(seats[2]!, 2, 2, 5)]);
    expect(again[2]).toEqual(first[2]);
    expect([...first[1]!, ...again[1]!]).toEqual((await advance(await alone(1), 1, 0, 8)).slice(2));
  });

  it("fails what asked when the engine fails, and refuses what the program has not", async () => {
    const seats = await cohort();
    const asked = seats.map((seat, run) => seat.run("begin@16", run === 1 ? {} : batchOf(run, 0)));
    await expect(asked[1]).rejects.toThrow("begin@16: input features is missing");
    await expect(seats[1]!.run("begin@7")).rejects.toThrow("the program has no procedure begin@7");
    expect(() => seats[1]!.restore({ nothing: new Float64Array(1) })).toThrow("no state variable named nothing");
    expect(() => seats[1]!.add(program)).toThrow("cannot be added to a single member of a cohort");
    // The others wait until it asks for something that it can be given.
    void seats[1]!.run("begin@16", batchOf(1, 0));
    expect((await asked[0])!["loss"]).toBeGreaterThan(0);

    const broken: Engine = { ...referenceEngine, compile: (of) => Promise.resolve(Object.assign(new ReferenceExecutable(of), { run: () => Promise.reject(new Error("the device is gone")) })) };
    const lost = await cohort(broken);
    const answers = await Promise.allSettled(lost.map((seat, run) => seat.run("begin@16", batchOf(run, 0))));
    for (const answer of answers) expect(answer).toMatchObject({ status: "rejected", reason: { message: "the device is gone" } });
  });
});
