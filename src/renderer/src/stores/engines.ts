/** The engines of this machine, and their probing. */
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import type { EngineKind, EngineReport } from "@shared/engines.ts";
import type { Experiment } from "@shared/experiment.ts";
import { call, listen } from "@/transport/client.ts";

export const useEngines = defineStore("engines", () => {
  const report = shallowRef<EngineReport | null>(null);
  const working = shallowRef<{ kind: EngineKind; doing: "probing" | "measuring" } | null>(null);
  /** Whether this window started a calibration. */
  const calibrating = ref(false);

  listen("engines.working", ({ kind, doing }) => {
    working.value = kind === null ? null : { kind, doing };
  });

  /** Counts what was asked for: only the latest answer is shown, in whatever order they come. */
  let asked = 0;
  async function show(answer: Promise<EngineReport>): Promise<void> {
    const own = ++asked;
    const found = await answer;
    if (own === asked) report.value = found;
  }

  const load = (experiment: Experiment | undefined): Promise<void> => show(call("engines.list", { experiment }));

  async function calibrate(experiment: Experiment | undefined): Promise<void> {
    calibrating.value = true;
    try {
      await show(call("engines.calibrate", { experiment }));
    } finally {
      calibrating.value = false;
    }
  }

  const retry = (kind: EngineKind, experiment: Experiment | undefined): Promise<void> => show(call("engines.retry", { kind, experiment }));

  return { report, working, calibrating, load, calibrate, retry };
});
