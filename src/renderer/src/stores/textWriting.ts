/** Settings of text generation, shared by all runs until the window closes. */
import { defineStore } from "pinia";
import { ref } from "vue";
import type { Entry } from "@/lib/numbers.ts";

export const useTextWriting = defineStore("textWriting", () => ({
  prime: ref("The "),
  length: ref<Entry>(500),
  temperature: ref<Entry>(0.8),
}));
