/** The study being edited, remembered across visits. */
import { defineStore } from "pinia";
import { ref, watch } from "vue";
import { useStudyForm } from "@/composables/useStudyForm.ts";
import { defaultStudyDraft, parseStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";

const storageKey = "hypertower.studyDraft";

export const useStudyDraft = defineStore("studyDraft", () => {
  const remembered = localStorage.getItem(storageKey);
  const draft = ref<StudyDraft>((remembered === null ? undefined : parseStudyDraft(remembered)) ?? defaultStudyDraft());
  watch(draft, (now) => localStorage.setItem(storageKey, JSON.stringify(now)), { deep: true });

  /** Replaces the draft by a preset or, for undo, an earlier one. */
  function put(other: StudyDraft): void {
    draft.value = other;
  }

  return { draft, put, ...useStudyForm(draft) };
});
