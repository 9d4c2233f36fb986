/** Imported networks of the store. */
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import type { NetworkImport, NetworkInfo } from "@shared/networks.ts";
import type { ImportPairs } from "@shared/networkPairs.ts";
import { call, listen } from "@/transport/client.ts";

export const useNetworks = defineStore("networks", () => {
  /** Null until the list was read. */
  const list = shallowRef<readonly NetworkInfo[] | null>(null);

  let reloads = 0;
  /** Of several at a time, the last one asked for counts. */
  async function reload(): Promise<void> {
    const mine = ++reloads;
    const found = await call("networks.list", {});
    if (mine === reloads) list.value = found;
  }

  listen("networks.changed", () => void reload().catch(() => undefined));
  // Unused networks may have been erased with it.
  listen("storage.changed", () => {
    if (list.value) void reload().catch(() => undefined);
  });

  const take = async (path: string, name?: string, pairs: ImportPairs = {}): Promise<NetworkImport> => {
    const imported = await call("networks.import", { path, ...(name ? { name } : {}), ...pairs });
    await reload();
    return imported;
  };
  async function rename(network: string, name: string): Promise<void> {
    await call("networks.rename", { network, name });
    await reload();
  }
  async function remove(network: string): Promise<void> {
    list.value = await call("networks.remove", { network });
  }

  return { list, reload, take, rename, remove };
});
