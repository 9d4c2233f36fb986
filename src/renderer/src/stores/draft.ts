/** The experiment being edited, remembered across visits. */
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import type { Experiment, FieldError } from "@shared/experiment.ts";
import { defaultDraft, draftOf, experimentOf, parseDraft, serializeDraft, validateDraft, type Draft } from "@/lib/draft.ts";

const storageKey = "hypertower.draft";

export const useDraft = defineStore("draft", () => {
  const remembered = localStorage.getItem(storageKey);
  const draft = ref<Draft>((remembered === null ? undefined : parseDraft(remembered)) ?? defaultDraft());

  const validation = computed(() => validateDraft(draft.value));
  /** Errors from the services that the form did not find; cleared by the next edit. */
  const refused = ref<readonly FieldError[]>([]);

  const errors = computed(() => {
    const byPath = new Map<string, string>();
    const found = validation.value.ok ? [] : validation.value.errors;
    for (const { path, message } of [...found, ...refused.value]) if (!byPath.has(path)) byPath.set(path, message);
    return byPath;
  });

  watch(
    draft,
    (now) => {
      refused.value = [];
      localStorage.setItem(storageKey, serializeDraft(now));
    },
    { deep: true },
  );

  function use(experiment: Experiment): void {
    draft.value = draftOf(experiment);
  }

  /** Restores an earlier draft, for undo. */
  function put(earlier: Draft): void {
    draft.value = earlier;
  }

  function refuse(fields: readonly FieldError[]): void {
    refused.value = fields;
  }

  const experiment = computed(() => experimentOf(draft.value));

  return { draft, validation, errors, experiment, use, put, refuse };
});
