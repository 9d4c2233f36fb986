/** How a run's saved weights read one example: predictions and attention, one module at a time. */
import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { decodeFloats, type ReadingReply, type ReadingRequest } from "@shared/reading.ts";
import { call, messageOf } from "@/transport/client.ts";

export function useReading() {
  const reply = shallowRef<ReadingReply | null>(null);
  /** The request that the reply answers. */
  const answered = shallowRef<ReadingRequest | null>(null);
  const problem = ref<string | null>(null);
  const busy = ref(false);
  let asked = 0;

  async function read(request: ReadingRequest): Promise<void> {
    const current = ++asked;
    busy.value = true;
    try {
      const answer = await call("predictions.reading", request);
      if (current !== asked) return;
      [reply.value, answered.value, problem.value] = [answer, request, null];
    } catch (error) {
      if (current === asked) problem.value = messageOf(error);
    }
    if (current === asked) busy.value = false;
  }

  /** Forgets what was read. */
  function clear(): void {
    asked++;
    [reply.value, answered.value, problem.value, busy.value] = [null, null, null, false];
  }
  onScopeDispose(clear);

  const weights = computed(() => (reply.value?.weights ? decodeFloats(reply.value.weights) : null));
  return { reply, answered, weights, problem, busy, read, clear };
}
