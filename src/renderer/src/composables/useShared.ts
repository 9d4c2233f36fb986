/** Imports a shared link, file or report into the matching form. */
import { useRouter } from "vue-router";
import { experiment, type FieldError } from "@shared/experiment.ts";
import { sharedErrors, type Reading } from "@shared/sharing.ts";
import { study } from "@shared/study/study.ts";
import { notifyUndo } from "@/composables/useNotify.ts";
import { draftOf, type Draft } from "@/lib/draft.ts";
import { studyDraftOf, type StudyDraft } from "@/lib/studyDraft.ts";
import { useDraft } from "@/stores/draft.ts";
import { useStudyDraft } from "@/stores/studyDraft.ts";

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const inWords = ({ path, message }: FieldError) => (path === "" ? message : `${path}: ${message}`);

export function useShared() {
  const router = useRouter();
  const drafts = { study: useStudyDraft(), experiment: useDraft() };

  /** Fills and opens the form; resolves to an error message or null. */
  async function open(reading: Reading): Promise<string | null> {
    if (!reading.ok) return reading.problem;
    const errors = sharedErrors(reading);
    if (errors.length > 0) return `The ${reading.kind} is not valid here. ${errors.slice(0, 5).map(inWords).join("; ")}`;
    if (reading.kind === "study") {
      const before = copy<StudyDraft>(drafts.study.draft);
      drafts.study.put(studyDraftOf(study.parse(reading.value)));
      await router.push("/studies/new");
      notifyUndo("Study imported.", () => drafts.study.put(before));
    } else {
      const before = copy<Draft>(drafts.experiment.draft);
      drafts.experiment.put(draftOf(experiment.parse(reading.value)));
      await router.push("/");
      notifyUndo("Experiment imported.", () => drafts.experiment.put(before));
    }
    return null;
  }

  return { open };
}
