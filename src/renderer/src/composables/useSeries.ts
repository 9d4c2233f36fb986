/** Keeps series of runs up to date for a component. */
import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { useDocumentVisibility } from "@vueuse/core";
import { useSeriesStore } from "@/stores/series.ts";
import { ConnectionLost, messageOf } from "@/transport/client.ts";

export interface FollowedRun {
  readonly run: string;
  readonly metrics: readonly string[];
  /** Whether more steps will follow. */
  readonly active: boolean;
}

const interval = 350;
/** Milliseconds by which a timer fires late when the page is busy drawing, and the longest pause for that. */
const noticeable = 100;
const longestPause = 2_000;
/** Rows are stored in groups: the last ones may arrive after the run's end. */
const readsAfterEnd = 3;

/** Polls deltas of the given runs; `error` is the latest error or null. */
export function useSeries(followed: MaybeRefOrGetter<readonly FollowedRun[]>) {
  const store = useSeriesStore();
  const visibility = useDocumentVisibility();
  const error = ref<string | null>(null);
  const loading = ref(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let disposed = false;
  let busy = false;
  let rest = readsAfterEnd;

  async function poll(): Promise<void> {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    const now = toValue(followed);
    try {
      await Promise.all(now.filter(({ metrics }) => metrics.length > 0).map(({ run, metrics }) => store.read(run, metrics)));
      error.value = null;
      loading.value = false;
    } catch (failure) {
      // A lost connection has its own banner; polling continues after it.
      if (!(failure instanceof ConnectionLost)) error.value = messageOf(failure);
    } finally {
      busy = false;
    }
    rest = now.some(({ active }) => active) ? readsAfterEnd : rest - 1;
    if (!disposed && rest > 0 && visibility.value === "visible") pollLater();
  }

  /** Polls after the interval. A page that could not keep to it was drawing all the time: it gets as long again for its user. */
  function pollLater(): void {
    const due = performance.now() + interval;
    timer = setTimeout(() => {
      const late = performance.now() - due;
      if (late < noticeable) void poll();
      else timer = setTimeout(() => void poll(), Math.min(late, longestPause));
    }, interval);
  }

  const key = computed(() => JSON.stringify(toValue(followed)));
  watch(
    [key, visibility],
    () => {
      rest = readsAfterEnd;
      void poll();
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    disposed = true;
    clearTimeout(timer);
  });

  return { error, loading, held: store.held };
}
