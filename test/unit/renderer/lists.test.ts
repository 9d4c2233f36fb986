import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import { useComparedRuns } from "@/composables/useComparedRuns.ts";
import { useRunDetail } from "@/composables/useRunDetail.ts";
import { useRuns } from "@/stores/runs.ts";
import type { EventName, EventPayload } from "@shared/contract.ts";
import { experiment } from "@shared/experiment.ts";
import { listedOf } from "@shared/listedRun.ts";
import type { Evaluation, RunDetail, RunSummary } from "@shared/run.ts";
import { notation } from "@shared/tower.ts";

const { calls, answers, listeners } = vi.hoisted(() => ({
  calls: [] as [name: string, input: unknown][],
  answers: new Map<string, (input: never) => unknown>(),
  listeners: new Map<string, Set<(payload: never) => void>>(),
}));

vi.mock("@/transport/client.ts", () => ({
  call: (name: string, input: never) => {
    calls.push([name, input]);
    return Promise.resolve(answers.get(name)!(input));
  },
  listen: (name: string, listener: (payload: never) => void) => {
    const set = listeners.get(name) ?? new Set();
    listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  },
  connection: () => ({ onReconnect: () => () => undefined }),
  ConnectionLost: class extends Error {},
  messageOf: (error: Error) => error.message,
}));

const emit = <N extends EventName>(name: N, payload: EventPayload<N>) => listeners.get(name)?.forEach((listener) => listener(payload as never));

function aRun(id: string, part: Partial<RunSummary> = {}): RunSummary {
  const of = experiment.parse({ seed: 3 });
  return {
    id, name: id, status: "finished", reason: null, stack: notation(of.tower), experiment: of, device: null, createdAt: 0, startedAt: 0, finishedAt: 1, trained: { milliseconds: 1, from: "clock" }, steps: 0, totalSteps: 10,
    epoch: 0, samplesPerSecond: null, secondsLeft: null, loss: null, testError: null, evaluation: null, hyperparameters: [], study: null, deletedAt: null, ...part,
  };
}
const detailOf = (run: RunSummary): RunDetail => ({ ...run, environment: null, metrics: [], evaluations: [], events: [] });

const stored = new Map<string, RunSummary>();
const settled = async () => {
  for (let turns = 0; turns < 20; turns++) await nextTick();
};

beforeEach(() => {
  setActivePinia(createPinia());
  stored.clear();
  calls.length = 0;
  listeners.clear();
  answers.set("runs.list", ({ deleted, study }: { deleted: boolean; study?: string }) =>
    [...stored.values()].filter((run) => (run.deletedAt !== null) === deleted && (study === undefined || run.study === study)).map(listedOf),
  );
  answers.set("runs.summaries", ({ runs }: { runs: string[] }) => runs.map((id) => stored.get(id)));
  answers.set("runs.get", ({ run }: { run: string }) => {
    if (!stored.has(run)) throw new Error(`There is no run ${run}.`);
    return detailOf(stored.get(run)!);
  });
});
afterEach(() => vi.useRealTimers());

it("takes what another process changed from the event, without reading the lists again", async () => {
  for (const id of ["a", "b"]) stored.set(id, aRun(id));
  const runs = useRuns();
  runs.follow();
  await runs.load();
  calls.length = 0;
  emit("runs.listed", [listedOf(aRun("b", { deletedAt: 5 })), listedOf(aRun("c", { status: "running", steps: 4 }))]);
  emit("store.changed", { runs: ["b", "c"], studies: [] });
  await vi.waitFor(() => expect(runs.runs.map(({ id }) => id)).toEqual(["a", "c"]));
  expect(runs.binned.map(({ id }) => id)).toEqual(["b"]);
  expect(runs.active.map(({ id, steps }) => [id, steps])).toEqual([["c", 4]]);
  expect(calls).toEqual([]);
});

it("reads the configuration of a run when it is opened, and follows what is told of it", async () => {
  stored.set("a", aRun("a", { status: "running" }));
  await useRuns().load();
  const opened = effectScope();
  const { run } = opened.run(() => useRunDetail(ref("a")))!;
  expect(run.value).toBeNull();
  await settled();
  expect(run.value?.experiment.seed).toBe(3);
  expect(calls.filter(([name]) => name === "runs.get")).toHaveLength(1);
  emit("run.changed", aRun("a", { status: "running", steps: 6 }));
  emit("run.changed", aRun("b", { steps: 9 }));
  expect(run.value?.steps).toBe(6);
  // The same object while it is the same experiment: what is drawn of it is not drawn anew.
  const before = run.value?.experiment;
  emit("run.changed", aRun("a", { status: "running", steps: 7 }));
  expect(run.value?.experiment).toBe(before);
  emit("run.changed", aRun("a", { status: "running", steps: 7, experiment: experiment.parse({ seed: 4 }) }));
  expect(run.value?.experiment.seed).toBe(4);
  await settled();
  expect(calls.filter(([name]) => name === "runs.get")).toHaveLength(1);
  // Its end comes with entries in the log.
  stored.set("a", aRun("a", { steps: 10 }));
  emit("run.changed", aRun("a", { steps: 10 }));
  await settled();
  expect(calls.filter(([name]) => name === "runs.get")).toHaveLength(2);
  // Another process changed other runs, then this one.
  emit("store.changed", { runs: ["b"], studies: [] });
  await settled();
  expect(calls.filter(([name]) => name === "runs.get")).toHaveLength(2);
  emit("store.changed", { runs: ["b", "a"], studies: [] });
  await settled();
  expect(calls.filter(([name]) => name === "runs.get")).toHaveLength(3);
  opened.stop();
});

it("appends evaluations as they come, and keeps those that came while the run was read", async () => {
  const at = (...steps: number[]) => steps.map((step) => ({ step, epoch: step / 40, testError: step }) as Evaluation);
  const told = (...steps: number[]) => emit("run.evaluated", { run: "a", evaluations: at(...steps) });
  const reads: ((read: RunDetail) => void)[] = [];
  answers.set("runs.get", () => new Promise<RunDetail>((resolve) => reads.push(resolve)));
  const read = (...steps: number[]) => reads.shift()!({ ...detailOf(aRun("a", { status: "running" })), evaluations: at(...steps) });
  const opened = effectScope();
  const { detail } = opened.run(() => useRunDetail(ref("a")))!;
  const shown = () => detail.value?.evaluations.map(({ step }) => step);
  await settled();
  told(120);
  read(40, 80);
  await settled();
  expect(shown()).toEqual([40, 80, 120]);
  told(160, 200);
  emit("run.evaluated", { run: "b", evaluations: at(240) });
  expect(shown()).toEqual([40, 80, 120, 160, 200]);
  // A page that was disconnected reads again; what it reads may be older than what it is told meanwhile.
  emit("store.changed", { runs: ["a"], studies: [] });
  await settled();
  told(280);
  read(40, 80, 120, 160, 200, 240);
  await settled();
  expect(shown()).toEqual([40, 80, 120, 160, 200, 240, 280]);
  opened.stop();
});

it("reads the configurations of what is compared: single runs, and all of a study in parts", async () => {
  stored.set("a", aRun("a"));
  for (let i = 0; i < 150; i++) stored.set(`s${i}`, aRun(`s${i}`, { study: "s" }));
  answers.set("studies.get", () => ({ points: [...stored.values()].filter(({ study }) => study === "s").map(({ id }) => ({ run: id, evaluations: [] })) }));
  await useRuns().load();
  const opened = effectScope();
  const { runs, missing } = opened.run(() => useComparedRuns(ref(["a", "gone"]), ref(["s"])))!;
  await settled();
  await vi.waitFor(() => expect(runs.value).toHaveLength(151));
  expect(runs.value.every(({ run }) => run.experiment.seed === 3)).toBe(true);
  expect(missing.value).toEqual(["gone"]);
  expect(calls.filter(([name]) => name === "runs.summaries").map(([, input]) => (input as { runs: string[] }).runs.length)).toEqual([100, 50]);
  emit("run.changed", aRun("a", { loss: 0.25 }));
  await settled();
  expect(runs.value.find(({ run }) => run.id === "a")?.run.loss).toBe(0.25);
  opened.stop();
});
