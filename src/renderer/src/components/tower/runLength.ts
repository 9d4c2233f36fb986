/** Length of the edited experiment's runs, provided by a form and read by pictures of schedules. */
import { computed, inject, provide, type ComputedRef, type InjectionKey } from "vue";
import type { RunLength } from "@shared/schedules/segments.ts";

const key: InjectionKey<() => RunLength | null> = Symbol("run length");

/** @param length null while it is unknown */
export function provideRunLength(length: () => RunLength | null): void {
  provide(key, length);
}

export function useRunLength(): ComputedRef<RunLength | null> {
  const length = inject(key, () => null);
  return computed(length);
}
