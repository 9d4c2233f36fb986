/** Validation of the study in the form. */
import { computed, ref, shallowRef, watch, type Ref } from "vue";
import type { FieldError } from "@shared/experiment.ts";
import type { Study } from "@shared/study/study.ts";
import { errorsByField, studyOf, validateStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";

export function useStudyForm(draft: Ref<StudyDraft>) {
  const validation = computed(() => validateStudyDraft(draft.value));
  /** Errors from the services that the form did not find; cleared by the next edit. */
  const refused = ref<readonly FieldError[]>([]);
  watch(draft, () => (refused.value = []), { deep: true });
  const errors = computed(() => errorsByField([...(validation.value.ok ? [] : validation.value.errors), ...refused.value]));
  const study = computed(() => studyOf(draft.value));

  /** The latest valid study, so that texts do not flicker while typing. */
  const lastValid = shallowRef<Study | null>(null);
  watch(
    validation,
    (now) => {
      if (now.ok) lastValid.value = now.study;
    },
    { immediate: true },
  );
  /** The valid study as text, without its name. */
  const measurable = computed(() => (validation.value.ok ? JSON.stringify({ ...validation.value.study, name: "" }) : null));

  function refuse(fields: readonly FieldError[]): void {
    refused.value = fields;
  }

  return { validation, errors, study, lastValid, measurable, refuse };
}
