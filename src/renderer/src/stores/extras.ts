/** Optional packages, and the one that is being installed. */
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import type { ExtraName, ExtraProgress, ExtraStates } from "@shared/extras/index.ts";
import { call, listen } from "@/transport/client.ts";

export const useExtras = defineStore("extras", () => {
  const states = shallowRef<ExtraStates | null>(null);
  const working = shallowRef<ExtraProgress | null>(null);

  listen("extras.working", (event) => {
    working.value = event.working;
  });

  function show(answer: ExtraStates): void {
    states.value = answer;
    working.value = answer.working;
  }

  const load = async (): Promise<void> => show(await call("extras.list", {}));
  const install = async (name: ExtraName): Promise<void> => show(await call("extras.install", { name }));
  const remove = async (name: ExtraName): Promise<void> => show(await call("extras.remove", { name }));
  const cancel = async (): Promise<void> => void (await call("extras.cancel", {}));

  return { states, working, load, install, remove, cancel };
});
