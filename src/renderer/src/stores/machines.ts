/** Fleets with their units and workers, and Slurm profiles. */
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import type { FleetInfo } from "@shared/fleet/requests.ts";
import type { SlurmProfile } from "@shared/fleet/profile.ts";
import { idParts } from "@shared/requestLists.ts";
import { call, listen } from "@/transport/client.ts";

export const useMachines = defineStore("machines", () => {
  /** Null until the list was read. */
  const fleets = shallowRef<readonly FleetInfo[] | null>(null);
  /** The host's clock when the list was read. */
  const now = shallowRef(0);
  const profiles = shallowRef<{ readonly file: string; readonly profiles: Readonly<Record<string, SlurmProfile>>; readonly problem: string | null } | null>(null);

  let reading: Promise<void> | undefined;
  let again = false;
  /** One question at a time: a fleet may take seconds to answer. */
  function reload(): Promise<void> {
    if (reading) again = true;
    else {
      reading = call("fleets.list", {})
        .then((found) => {
          fleets.value = found.fleets;
          now.value = found.now;
        })
        .finally(() => {
          reading = undefined;
          if (!again) return;
          again = false;
          void reload().catch(() => undefined);
        });
    }
    return reading!;
  }
  /** Pages that show fleets. */
  let shownBy = 0;
  function follow(): () => void {
    shownBy++;
    return () => void shownBy--;
  }
  listen("fleets.changed", () => {
    if (shownBy > 0) void reload().catch(() => undefined);
  });

  async function loadProfiles(): Promise<void> {
    profiles.value = await call("fleets.profiles", {});
  }
  async function saveProfile(name: string, profile: unknown, replace: boolean): Promise<void> {
    await call("fleets.saveProfile", { name, profile, replace });
    await Promise.all([loadProfiles(), reload()]);
  }
  async function removeProfile(name: string): Promise<void> {
    await call("fleets.removeProfile", { name });
    await Promise.all([loadProfiles(), reload()]);
  }
  const script = async (profile: unknown): Promise<string> => (await call("fleets.script", { profile })).script;

  async function drain(fleet: string, worker: string, draining: boolean): Promise<void> {
    await call("fleets.drain", { fleet, worker, draining });
    await reload();
  }
  async function retry(units: readonly string[]): Promise<void> {
    for (const part of idParts(units)) await call("fleets.retry", { units: part });
    await reload();
  }
  async function cancel(units: readonly string[]): Promise<void> {
    for (const part of idParts(units)) await call("fleets.cancel", { units: part });
    await reload();
  }

  return { fleets, now, profiles, reload, follow, loadProfiles, saveProfile, removeProfile, script, drain, retry, cancel };
});
