/** Studies to the bin and back, with what belongs to it: their runs, and the offer to undo. */
import { plural } from "@shared/text.ts";
import { attempt, notifyUndo } from "@/composables/useNotify.ts";
import { useRuns } from "@/stores/runs.ts";
import { useStudies } from "@/stores/studies.ts";

export function useDeletion() {
  const studies = useStudies();
  const runs = useRuns();

  async function restoreStudies(ids: string[]): Promise<boolean> {
    return attempt("The studies were not restored", async () => {
      await studies.restore(ids);
      await runs.load();
    });
  }

  async function removeStudies(ids: string[]): Promise<boolean> {
    const done = await attempt("The studies were not deleted", async () => {
      await studies.remove(ids, true);
      await runs.load();
    });
    if (done) {
      notifyUndo(`${plural(ids.length, "study", "studies")} and the runs moved to the bin.`, async () => {
        await restoreStudies(ids);
      });
    }
    return done;
  }

  return { removeStudies, restoreStudies };
}
