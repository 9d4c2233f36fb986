/** Facts about the host: versions, datasets, presets. */
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import type { RequestOutput } from "@shared/contract.ts";
import { validateExperiment, type Experiment, type FieldError } from "@shared/experiment.ts";
import { validateStudy, type Study } from "@shared/study/study.ts";
import { call, listen, messageOf } from "@/transport/client.ts";

export type AppInfo = RequestOutput<"app.info">;
export type DatasetInfo = RequestOutput<"datasets.list">[number];
export interface PresetCard {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}
export interface ReadyPreset extends PresetCard {
  readonly experiment: Experiment;
}
export interface StudyPreset extends PresetCard {
  readonly study: Study;
}

function refusePreset({ name }: PresetCard, errors: readonly FieldError[]): never {
  throw new Error(`the preset ${name} is not valid: ${errors[0]?.message ?? ""}`);
}

export const useApp = defineStore("app", () => {
  const info = shallowRef<AppInfo | null>(null);
  const datasets = shallowRef<DatasetInfo[]>([]);
  const presets = shallowRef<ReadyPreset[]>([]);
  const studyPresets = shallowRef<StudyPreset[]>([]);
  const error = ref<string | null>(null);

  async function load(): Promise<void> {
    try {
      // Datasets are verified by checksum: do not wait for that.
      const list = call("datasets.list", {});
      list.catch(() => undefined);
      const [appInfo, presetList, studyPresetList] = await Promise.all([
        call("app.info", {}),
        call("experiments.presets", {}),
        call("studies.presets", {}),
      ]);
      info.value = appInfo;
      presets.value = presetList.map(({ experiment, ...preset }) => {
        const result = validateExperiment(experiment);
        return result.ok ? { ...preset, experiment: result.experiment } : refusePreset(preset, result.errors);
      });
      studyPresets.value = studyPresetList.map(({ study, ...preset }) => {
        const result = validateStudy(study);
        return result.ok ? { ...preset, study: result.study } : refusePreset(preset, result.errors);
      });
      error.value = null;
      datasets.value = await list;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  /** Subscribes to events; call once. */
  function follow(): void {
    listen("store.damaged", ({ message }) => {
      if (info.value) info.value = { ...info.value, storeDamage: message };
    });
    listen("store.problem", ({ problem }) => {
      if (info.value) info.value = { ...info.value, storeProblem: problem };
    });
  }

  return { follow, info, datasets, presets, studyPresets, error, load };
});
