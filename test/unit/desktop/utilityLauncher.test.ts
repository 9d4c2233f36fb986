import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { beforeEach, expect, it, vi } from "vitest";
import { utilityLauncher } from "../../../src/main/desktop/utilityLauncher.ts";
import type { TrainerExit, TrainerProcess } from "../../../src/main/hosting/process.ts";

/** Behaves as Electron's utility process does, its habit of dropping the streams' listeners included. */
class UtilityProcess extends EventEmitter {
  pid: number | undefined = 4711;
  stdout = new PassThrough();
  stderr = new PassThrough();
  readonly posted: unknown[] = [];
  postMessage(message: unknown): void {
    this.posted.push(message);
  }
  exit(code: number): void {
    this.pid = undefined;
    this.emit("exit", code);
    for (const stream of [this.stdout, this.stderr]) stream.removeAllListeners();
  }
}

const started = vi.hoisted((): { last: unknown; parameters: unknown[] } => ({ last: null, parameters: [] }));
vi.mock("electron", () => ({
  utilityProcess: {
    fork: (...parameters: unknown[]) => {
      started.parameters = parameters;
      return (started.last = new UtilityProcess());
    },
  },
}));

let trainer: TrainerProcess;
let utility: UtilityProcess;

beforeEach(async () => {
  const launching = utilityLauncher("/built/trainer.js", "Hypertower trainer")();
  utility = started.last as UtilityProcess;
  utility.emit("spawn");
  trainer = await launching;
});

const exitOf = (of: TrainerProcess) => new Promise<TrainerExit>((resolve) => of.onExit(resolve));

it("starts the entry, and carries messages both ways until unsubscribed", () => {
  expect(started.parameters[0]).toBe("/built/trainer.js");
  trainer.send({ type: "pause" });
  expect(utility.posted).toEqual([{ type: "pause" }]);
  const seen: unknown[] = [];
  const unsubscribe = trainer.onMessage((message) => seen.push(message));
  utility.emit("message", { type: "paused" });
  unsubscribe();
  utility.emit("message", { type: "resumed" });
  expect(seen).toEqual([{ type: "paused" }]);
});

it("reports an exit after what was still under way, output and messages alike", async () => {
  const order: string[] = [];
  trainer.onMessage(({ type }) => order.push(type));
  const exit = exitOf(trainer).then((value) => {
    order.push("exit");
    return value;
  });
  utility.stderr.write("first words\n");
  utility.exit(134);
  setImmediate(() => utility.stderr.write("last words\n"));
  setTimeout(() => utility.emit("message", { type: "ended" }), 20);
  setTimeout(() => utility.stderr.end("very last words\n"), 30);
  utility.stdout.end();
  expect(await exit).toEqual({ code: 134, signal: null, stderr: "first words\nlast words\nvery last words" });
  expect(order).toEqual(["ended", "exit"]);
  // Whoever asks later is told as well.
  expect((await exitOf(trainer)).code).toBe(134);
});

it("does not wait for ever for streams that never end", async () => {
  utility.exit(1);
  expect((await exitOf(trainer)).code).toBe(1);
});

it("kills at once, and lets the dead rest", async () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  trainer.kill();
  expect(kill).toHaveBeenCalledWith(4711, "SIGKILL");
  utility.exit(9);
  trainer.kill();
  expect(kill).toHaveBeenCalledTimes(1);
  kill.mockRestore();
});

it("refuses when the process exits before it ran", async () => {
  const launching = utilityLauncher("/built/trainer.js", "Hypertower trainer")();
  (started.last as UtilityProcess).exit(1);
  await expect(launching).rejects.toThrow("it exited with code 1 before it ran");
});
