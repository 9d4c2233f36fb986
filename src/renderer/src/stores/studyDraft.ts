/** The study being composed; remembered across visits. */
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import type { FieldError } from "@shared/experiment.ts";
import { defaultStudyDraft, errorsByField, parseStudyDraft, studyOf, validateStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";

const storageKey = "hypertower.studyDraft";

export const useStudyDraft = defineStore("studyDraft", () => {
  const remembered = localStorage.getItem(storageKey);
  const draft = ref<StudyDraft>((remembered === null ? undefined : parseStudyDraft(remembered)) ?? defaultStudyDraft());

  const validation = computed(() => validateStudyDraft(draft.value));
  /** What the services refused although it looked right here; gone with the next edit. */
  const refused = ref<readonly FieldError[]>([]);
  const errors = computed(() => errorsByField([...(validation.value.ok ? [] : validation.value.errors), ...refused.value]));
  const study = computed(() => studyOf(draft.value));

  watch(
    draft,
    (now) => {
      refused.value = [];
      localStorage.setItem(storageKey, JSON.stringify(now));
    },
    { deep: true },
  );

  /** Replaces the draft, by a preset or by an earlier one as undo does. */
  function put(other: StudyDraft): void {
    draft.value = other;
  }

  function refuse(fields: readonly FieldError[]): void {
    refused.value = fields;
  }

  return { draft, validation, errors, study, put, refuse };
});
