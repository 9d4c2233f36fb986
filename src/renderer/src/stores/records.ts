/** Records of the store held by id, those in the bin included; events that arrive while lists are read are not lost. */
import { computed, ref, shallowRef, triggerRef } from "vue";
import { useThrottleFn } from "@vueuse/core";
import { messageOf } from "@/transport/client.ts";

interface Stored {
  readonly id: string;
  readonly deletedAt: number | null;
}

/** @param list reads the kept or the deleted records, in one part or several */
export function useRecords<T extends Stored>(list: (deleted: boolean) => AsyncIterable<readonly T[]>) {
  const byId = shallowRef(new Map<string, T>());
  const loaded = ref(false);
  const error = ref<string | null>(null);

  const all = computed(() => [...byId.value.values()]);
  const kept = computed(() => all.value.filter(({ deletedAt }) => deletedAt === null));
  const binned = computed(() => all.value.filter(({ deletedAt }) => deletedAt !== null));

  /** What changes while lists are being read, and so may be newer than they; null at other times. */
  let changedMeanwhile: Map<string, T> | null = null;

  const draw = () => triggerRef(byId);
  /** Many may report at once; the lists are drawn again for all of them together. */
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

  /** Reads both lists again. What is on screen stays until they are here, but the first reading shows each part as it comes. */
  async function load(): Promise<void> {
    const meanwhile = new Map<string, T>();
    changedMeanwhile = meanwhile;
    try {
      const read: T[] = [];
      for (const deleted of [false, true]) {
        for await (const part of list(deleted)) {
          // A later reading is under way: its lists are newer.
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
