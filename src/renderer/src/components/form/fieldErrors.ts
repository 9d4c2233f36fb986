/** Errors by field path, provided once by a form and read by its fields. */
import { computed, inject, provide, type ComputedRef, type InjectionKey } from "vue";

export const errorsKey: InjectionKey<() => ReadonlyMap<string, string>> = Symbol("field errors");

export function provideFieldErrors(errors: () => ReadonlyMap<string, string>): void {
  provide(errorsKey, errors);
}

/** Error of a field, such as `tower.0.beta1`; undefined without one. */
export function useFieldError(path: () => string | undefined): ComputedRef<string | undefined> {
  const errors = inject(errorsKey, () => new Map<string, string>());
  return computed(() => {
    const at = path();
    return at === undefined ? undefined : errors().get(at);
  });
}

/** DOM id of a field. */
export function fieldId(path: string): string {
  return `field-${path.replaceAll(".", "-")}`;
}
