import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { taskLauncher } from "../../../src/main/desktop/taskLauncher.ts";
import type { TaskResult } from "../../../src/main/store/task.ts";

class UtilityProcess extends EventEmitter {
  readonly kill = vi.fn(() => true);
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

let child: UtilityProcess;
let result: Promise<TaskResult>;
beforeEach(() => {
  vi.useFakeTimers();
  result = taskLauncher("/built/storeTask.js")({ task: "vacuum", file: "/store.sqlite" });
  child = started.last as UtilityProcess;
});
afterEach(() => vi.useRealTimers());

it("gives the task to the process, and ends it once its result is there", async () => {
  expect(started.parameters.slice(0, 2)).toEqual(["/built/storeTask.js", ['{"task":"vacuum","file":"/store.sqlite"}']]);
  child.emit("message", '{"done":"small"}');
  expect(child.kill).toHaveBeenCalledOnce();
  child.emit("exit", 15);
  expect(await result).toEqual({ done: "small" });
});

it("takes a result that comes after the end", async () => {
  child.emit("exit", 0);
  child.emit("message", '{"skipped":"busy"}');
  expect(await result).toEqual({ skipped: "busy" });
});

it("reports a process that ends without a result", async () => {
  child.emit("exit", 9);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await result).toEqual({ failed: "its process ended without a result" });
});
