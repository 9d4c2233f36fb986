import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { StepFeed } from "../../../src/main/headless/stepFeed.ts";
import type { StepEvents } from "../../../src/main/headless/stepEvents.ts";
import { runOf } from "./runs.ts";

function feed(often: StepEvents) {
  const logged: number[][] = [];
  let now = 0;
  const out = new PassThrough({ highWaterMark: 100 });
  const lines: Record<string, unknown>[] = [];
  out.on("data", (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>)));
  const services = {
    readSteps: (_: string, from = 0) => logged.slice(from).map((values, i) => ({ step: from + i, values })),
    handlers: { "runs.get": () => ({ metrics: ["loss", "L0.alpha"] }) },
  } as unknown as ConstructorParameters<typeof StepFeed>[0];
  return { logged, lines, feed: new StepFeed(services, often, out, () => now), pass: (ms: number) => (now += ms) };
}
const run = (steps: number, loss = 0.5) => runOf({}, { steps, loss, hyperparameters: [{ level: 0, name: "alpha", metric: "L0.alpha", initial: 1, value: NaN }] });

describe("step events", () => {
  it("come at most once in the interval, with the latest step", async () => {
    const { feed: steps, lines, pass } = feed(1_000);
    steps.started(run(0));
    for (const at of [1, 2, 3, 4]) {
      pass(400);
      steps.changed(run(at));
    }
    await steps.rest("r1");
    expect(lines).toEqual([{ event: "step", type: "step", run: "r1", step: 2, values: { loss: 0.5, "L0.alpha": null } }]);
  });

  it("of every step are in order, without gaps, and go on after a resume", async () => {
    const { feed: steps, lines, logged } = feed("all");
    logged.push([9, 9], [9, 9]);
    steps.started(run(2));
    for (let i = 2; i < 50; i++) {
      logged.push([i, Infinity]);
      if (i % 7 === 0) steps.changed(run(i));
    }
    await steps.rest("r1");
    expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: 48 }, (_, i) => i + 2));
    expect(lines[0]).toEqual({ event: "step", type: "step", run: "r1", step: 2, values: { loss: 2, "L0.alpha": null } });
  });

  it("are left out where they are not wanted", async () => {
    const { feed: steps, lines, pass } = feed("none");
    steps.started(run(0));
    pass(10_000);
    steps.changed(run(5));
    await steps.rest("r1");
    expect(lines).toEqual([]);
  });
});
