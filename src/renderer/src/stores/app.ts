/** What the window knows about its host: versions, datasets, presets. */
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import type { RequestOutput } from "@shared/contract.ts";
import { validateExperiment, type Experiment } from "@shared/experiment.ts";
import { call, messageOf } from "@/transport/client.ts";

export type AppInfo = RequestOutput<"app.info">;
export type DatasetInfo = RequestOutput<"datasets.list">[number];
export interface ReadyPreset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly experiment: Experiment;
}

export const useApp = defineStore("app", () => {
  const info = shallowRef<AppInfo | null>(null);
  const datasets = shallowRef<DatasetInfo[]>([]);
  const presets = shallowRef<ReadyPreset[]>([]);
  const error = ref<string | null>(null);

  async function load(): Promise<void> {
    try {
      const [appInfo, datasetList, presetList] = await Promise.all([
        call("app.info", {}),
        call("datasets.list", {}),
        call("experiments.presets", {}),
      ]);
      info.value = appInfo;
      datasets.value = datasetList;
      presets.value = presetList.map(({ experiment, ...preset }) => {
        const result = validateExperiment(experiment);
        if (!result.ok) throw new Error(`the preset ${preset.name} is not valid: ${result.errors[0]?.message ?? ""}`);
        return { ...preset, experiment: result.experiment };
      });
      error.value = null;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  return { info, datasets, presets, error, load };
});
