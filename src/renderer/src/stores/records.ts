/** Records by id, including the bin; keeps events that arrive while lists are read. */
import { computed, ref, shallowRef, triggerRef } from "vue";
import { useThrottleFn } from "@vueuse/core";
import { messageOf } from "@/transport/client.ts";

interface Stored {
  readonly id: string;
  readonly deletedAt: number | null;
}

/** @param list reads active or deleted records, in pages */
export function useRecords<T extends Stored>(list: (deleted: boolean) => AsyncIterable<readonly T[]>) {
  const byId = shallowRef(new Map<string, T>());
  const loaded = ref(false);
  const error = ref<string | null>(null);

  const all = computed(() => [...byId.value.values()]);
  const kept = computed(() => all.value.filter(({ deletedAt }) => deletedAt === null));
  const binned = computed(() => all.value.filter(({ deletedAt }) => deletedAt !== null));

  /** Changes received while reading, which may be newer than the lists; null at other times. */
  let changedMeanwhile: Map<string, T> | null = null;

  const draw = () => triggerRef(byId);
  /** Many records may change at once; redraw once for all. */
  const drawSoon = useThrottleFn(draw, 100, true, true);

  function put(...changed: readonly T[]): void {
    for (const record of changed) {
      byId.value.set(record.id, record);
      changedMeanwhile?.set(record.id, record);
    }
  }

  function keep(...changed: readonly T[]): void {
    put(...changed);
    draw();
  }

  /** Takes changes from an event. */
  function follow(...changed: readonly T[]): void {
    put(...changed);
    void drawSoon();
  }

  function show(read: readonly T[], newer: ReadonlyMap<string, T>): void {
    byId.value = new Map([...read, ...newer.values()].map((record) => [record.id, record]));
  }

  /**
   * Reads both lists again. Old content stays until then, but the first load shows each page as it
   * arrives.
   */
  async function load(): Promise<void> {
    const meanwhile = new Map<string, T>();
    changedMeanwhile = meanwhile;
    try {
      const read: T[] = [];
      for (const deleted of [false, true]) {
        for await (const part of list(deleted)) {
          // A later load is running; its lists are newer.
          if (changedMeanwhile !== meanwhile) return;
          read.push(...part);
          if (!loaded.value) show(read, meanwhile);
        }
      }
      if (changedMeanwhile !== meanwhile) return;
      show(read, meanwhile);
      changedMeanwhile = null;
      loaded.value = true;
      error.value = null;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  const get = (id: string): T | undefined => byId.value.get(id);

  return { kept, binned, loaded, error, keep, follow, load, get };
}
