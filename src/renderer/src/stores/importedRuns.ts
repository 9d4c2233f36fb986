/** Imports of recorded runs, and the watches of this host. */
import { defineStore } from "pinia";
import { ref } from "vue";
import type { ImportRunsAnswer, ImportRunsRequest, RecordWatch } from "@shared/importedRun.ts";
import { call, listen } from "@/transport/client.ts";
import { useSeriesStore } from "./series.ts";

export const useImportedRuns = defineStore("importedRuns", () => {
  const watches = ref<readonly RecordWatch[]>([]);
  const series = useSeriesStore();
  let follows = false;

  /** Reads the watches and follows their changes. */
  async function load(): Promise<void> {
    if (!follows) listen("importedRuns.changed", () => void load());
    follows = true;
    watches.value = await call("importedRuns.watches", {});
  }

  async function take(request: ImportRunsRequest): Promise<ImportRunsAnswer> {
    const answer = await call("importedRuns.import", request);
    for (const { id, isNew } of answer.runs) if (!isNew) series.forget(id);
    await load();
    return answer;
  }

  const watchOf = (run: string): RecordWatch | undefined => watches.value.find(({ runs }) => runs.includes(run));
  const stop = async (watch: string): Promise<void> => {
    watches.value = await call("importedRuns.stop", { watch });
  };

  return { watches, load, take, watchOf, stop };
});
