/** What is wrong with a study that is being composed, and what it would be. */
import { computed, ref, shallowRef, watch, type Ref } from "vue";
import type { FieldError } from "@shared/experiment.ts";
import type { Study } from "@shared/study/study.ts";
import { errorsByField, studyOf, validateStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";

export function useStudyForm(draft: Ref<StudyDraft>) {
  const validation = computed(() => validateStudyDraft(draft.value));
  /** What the services refused although it looked right here; gone with the next edit. */
  const refused = ref<readonly FieldError[]>([]);
  watch(draft, () => (refused.value = []), { deep: true });
  const errors = computed(() => errorsByField([...(validation.value.ok ? [] : validation.value.errors), ...refused.value]));
  const study = computed(() => studyOf(draft.value));

  /** The last valid form: what is said about the study does not flicker while a number is typed. */
  const lastValid = shallowRef<Study | null>(null);
  watch(
    validation,
    (now) => {
      if (now.ok) lastValid.value = now.study;
    },
    { immediate: true },
  );
  /** The study as text, while it is valid: its name does not count. */
  const measurable = computed(() => (validation.value.ok ? JSON.stringify({ ...validation.value.study, name: "" }) : null));

  function refuse(fields: readonly FieldError[]): void {
    refused.value = fields;
  }

  return { validation, errors, study, lastValid, measurable, refuse };
}
