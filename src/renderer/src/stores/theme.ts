/** Light, dark or system theme; remembered. */
import { defineStore } from "pinia";
import { computed, ref, watchEffect } from "vue";
import { usePreferredDark } from "@vueuse/core";

export const themeChoices = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof themeChoices)[number];

// public/theme.js reads the same key before the first paint.
const storageKey = "hypertower.theme";

export const useTheme = defineStore("theme", () => {
  const systemIsDark = usePreferredDark();
  const stored = localStorage.getItem(storageKey);
  const choice = ref<ThemeChoice>(themeChoices.find((known) => known === stored) ?? "system");
  const isDark = computed(() => choice.value === "dark" || (choice.value === "system" && systemIsDark.value));

  watchEffect(() => document.documentElement.classList.toggle("dark", isDark.value));

  function choose(next: ThemeChoice): void {
    choice.value = next;
    localStorage.setItem(storageKey, next);
  }

  return { choice, isDark, choose };
});
