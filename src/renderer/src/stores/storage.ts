/** The store's health, space and backups. */
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import type { BackupSettings } from "@shared/backups.ts";
import type { Erasure, Health, StorageNotices, StorageReport } from "@shared/storage.ts";
import { call, listen } from "@/transport/client.ts";

export const useStorage = defineStore("storage", () => {
  const notices = shallowRef<StorageNotices | null>(null);
  const report = shallowRef<StorageReport | null>(null);
  const health = shallowRef<Health | null>(null);
  const checking = ref(false);
  const backingUp = ref(false);

  let loads = 0;
  /** Of several at a time, the last one asked for counts. */
  async function load(): Promise<void> {
    const own = ++loads;
    const found = await call("storage.report", {});
    if (own === loads) report.value = found;
  }

  async function loadNotices(): Promise<void> {
    notices.value = await call("storage.notices", {});
  }

  /** Subscribes to events; call once. */
  function follow(): void {
    listen("storage.noticed", (found) => (notices.value = found));
    listen("storage.changed", () => {
      // Reads the whole store's figures: only where they are shown.
      if (report.value) void load().catch(() => undefined);
    });
  }

  async function check(): Promise<void> {
    checking.value = true;
    try {
      health.value = await call("storage.check", {});
    } finally {
      checking.value = false;
    }
  }

  async function backUp(): Promise<void> {
    backingUp.value = true;
    try {
      await call("storage.backUp", {});
      await load();
    } finally {
      backingUp.value = false;
    }
  }

  async function restore(backup: string | null): Promise<void> {
    notices.value = await call("storage.restore", { backup });
  }

  /** Copies what is missing from another store. Resolves to what was done, in sentences. */
  async function merge(path: string): Promise<readonly string[]> {
    const { remarks } = await call("storage.merge", { path });
    if (report.value) await load();
    return remarks;
  }

  /** Has the store moved at the next start; null cancels that. */
  async function move(path: string | null, removeOld = false): Promise<void> {
    notices.value = await call("storage.move", { path, removeOld });
  }

  async function acknowledgeLoss(): Promise<void> {
    notices.value = await call("storage.acknowledgeLoss", {});
  }

  async function saveSettings(settings: BackupSettings): Promise<void> {
    await call("storage.saveSettings", { settings });
    await load();
  }

  /** Erases for good. Resolves to what was erased. */
  async function erase(erasure: Erasure): Promise<string> {
    const { done } = await call("storage.erase", { erasure });
    await load();
    return done;
  }

  async function vacuum(): Promise<string> {
    const { done } = await call("storage.vacuum", {});
    await load();
    return done;
  }

  return { notices, report, health, checking, backingUp, load, loadNotices, follow, check, backUp, restore, merge, move, acknowledgeLoss, saveSettings, erase, vacuum };
});
