/** Errors by field path, provided once by a form and read by its fields. */
import { computed, inject, provide, type ComputedRef, type InjectionKey } from "vue";

export const errorsKey: InjectionKey<() => ReadonlyMap<string, string>> = Symbol("field errors");

export function provideFieldErrors(errors: () => ReadonlyMap<string, string>): void {
  provide(errorsKey, errors);
}

/** The message for one field, e.g. `tower.0.beta1`; undefined while it is fine. */
export function useFieldError(path: () => string | undefined): ComputedRef<string | undefined> {
  const errors = inject(errorsKey, () => new Map<string, string>());
  return computed(() => {
    const at = path();
    return at === undefined ? undefined : errors().get(at);
  });
}

/** A field's id in the page, from its path. */
export function fieldId(path: string): string {
  return `field-${path.replaceAll(".", "-")}`;
}
