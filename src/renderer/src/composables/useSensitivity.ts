/** A study's analysis, computed when the window is idle rather than after every run. */
import { onScopeDispose, shallowRef, watch } from "vue";
import type { StudyPoint } from "@shared/study/result.ts";
import { sensitivityOf, type Sensitivity, type SensitivityOptions } from "@shared/study/sensitivity.ts";
import type { Study } from "@shared/study/study.ts";

export interface SensitivityInput {
  readonly study: Study;
  readonly points: readonly StudyPoint[];
  readonly options: SensitivityOptions;
}

/** Minimum milliseconds between two computations while runs end. */
const pause = 2500;

export function useSensitivity(input: () => SensitivityInput | null) {
  const sensitivity = shallowRef<Sensitivity | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;

  function compute(): void {
    timer = undefined;
    const now = input();
    sensitivity.value = now && sensitivityOf(now.study, now.points, now.options);
    last = performance.now();
  }

  watch(
    input,
    (now, before) => {
      // A changed question is answered after the next frame; new runs can wait.
      const asked = JSON.stringify(now?.options) !== JSON.stringify(before?.options) || now?.study !== before?.study || sensitivity.value === null;
      if (asked) {
        clearTimeout(timer);
        timer = undefined;
      }
      timer ??= setTimeout(compute, asked ? 30 : Math.max(30, last + pause - performance.now()));
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
  return sensitivity;
}
