/** Visible rows of a long list in a scrolling box. */
import { computed, type Ref } from "vue";
import { useElementSize, useScroll } from "@vueuse/core";

/** Shorter lists are rendered completely. */
const shortest = 120;
/** Extra rows rendered above and below. */
const beyond = 20;

/** @param rowHeight height of every row in pixels */
export function useVisibleRows(box: Readonly<Ref<HTMLElement | null>>, count: () => number, rowHeight: number) {
  const { y } = useScroll(box);
  const { height } = useElementSize(box);
  const isLong = computed(() => count() > shortest);
  const from = computed(() => (isLong.value ? Math.max(0, Math.min(Math.floor(y.value / rowHeight), count()) - beyond) : 0));
  const to = computed(() => (isLong.value ? Math.min(count(), Math.ceil((y.value + height.value) / rowHeight) + beyond) : count()));
  /** Height of the rows left out above. */
  const above = computed(() => from.value * rowHeight);
  const below = computed(() => (count() - to.value) * rowHeight);
  return { from, to, above, below };
}
