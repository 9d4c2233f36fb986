/** Focuses the first error of a form. */
import { nextTick } from "vue";

export async function showFirstError(): Promise<void> {
  await nextTick();
  const first = document.querySelector<HTMLElement>("[aria-invalid='true']") ?? document.querySelector<HTMLElement>("[role='alert']");
  first?.scrollIntoView({ block: "center" });
  first?.focus();
}
