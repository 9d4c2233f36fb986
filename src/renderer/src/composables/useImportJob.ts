/** A preview or an import that runs in the host: its progress, and how to stop it. */
import { computed, onScopeDispose, ref, shallowRef } from "vue";
import type { EventPayload } from "@shared/contract.ts";
import { formatBytes } from "@shared/format.ts";
import { formatCount } from "@/lib/format.ts";
import { call, listen } from "@/transport/client.ts";

let jobs = 0;
const newJob = () => `${Date.now().toString(36)}-${(jobs++).toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

export function useImportJob() {
  const job = ref<string | null>(null);
  const progress = shallowRef<EventPayload<"dataset.importing"> | null>(null);
  onScopeDispose(
    listen("dataset.importing", (seen) => {
      if (seen.job === job.value) progress.value = seen;
    }),
  );

  /** Runs one job at a time, named for the request. */
  async function run(work: (job: string) => Promise<void>): Promise<void> {
    const mine = (job.value = newJob());
    try {
      await work(mine);
    } finally {
      if (job.value === mine) job.value = progress.value = null;
    }
  }

  /** The request of the job is refused then. */
  function stop(): void {
    if (job.value !== null) call("datasets.stopImport", { job: job.value }).catch(() => undefined);
  }

  /** `1,200 of 5,000 images`; null before there is progress. */
  const text = computed(() => {
    if (!progress.value) return null;
    const { done, total, unit } = progress.value;
    return unit === "images" ? `${formatCount(done)} of ${formatCount(total)} images` : `${formatBytes(done)} of ${formatBytes(total)} read`;
  });

  return { run, stop, text };
}
