/** Sends events from the services to every surface, and limits their rate. */
import type { EventName, EventPayload } from "../../shared/contract.ts";

type Listener<N extends EventName> = (payload: EventPayload<N>) => void;

export class Events {
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError called when a listener throws; the other listeners still get the event */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    // Wrapped, so that a function subscribed twice has two subscriptions.
    const entry: Listener<N> = (payload) => listener(payload);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(entry));
    return () => listeners.delete(entry);
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<N>[]) {
      try {
        listener(payload);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Gathers items by id: tells the first at once, and what follows together, at most once per interval (milliseconds). */
export class Batches<T> {
  readonly #interval: number;
  readonly #emit: (id: string, items: T[]) => void;
  /** Ids that were told of less than an interval ago, with the items that came since. */
  readonly #waiting = new Map<string, { timer: NodeJS.Timeout; items: T[] }>();

  constructor(interval: number, emit: (id: string, items: T[]) => void) {
    this.#interval = interval;
    this.#emit = emit;
  }

  add(id: string, item: T): void {
    const waiting = this.#waiting.get(id);
    if (waiting) waiting.items.push(item);
    else this.#tell(id, [item]);
  }

  /** Tells what waits without delay, for example because the run has ended. */
  flush(id: string): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    if (waiting.items.length > 0) this.#emit(id, waiting.items);
  }

  /** Tells all that waits. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.flush(id);
  }

  #tell(id: string, items: T[]): void {
    const timer = setTimeout(() => {
      const { items: next } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (next.length > 0) this.#tell(id, next);
    }, this.#interval);
    this.#waiting.set(id, { timer, items: [] });
    this.#emit(id, items);
  }
}

/** Forwards changes of each run or study at most once per interval (milliseconds), and always the last one. */
export class Throttle<T extends { readonly id: string }> {
  readonly #interval: number;
  readonly #emit: (changed: T) => void;
  readonly #waiting = new Map<string, { timer: NodeJS.Timeout; latest: T | undefined }>();

  constructor(interval: number, emit: (changed: T) => void) {
    this.#interval = interval;
    this.#emit = emit;
  }

  /** @param atOnce forward without waiting for the interval */
  push(changed: T, atOnce: boolean): void {
    const waiting = this.#waiting.get(changed.id);
    if (waiting && !atOnce) {
      waiting.latest = changed;
      return;
    }
    clearTimeout(waiting?.timer);
    this.#emit(changed);
    this.#pause(changed.id);
  }

  /** Forwards the pending changes. */
  close(): void {
    for (const { timer, latest } of this.#waiting.values()) {
      clearTimeout(timer);
      if (latest) this.#emit(latest);
    }
    this.#waiting.clear();
  }

  #pause(id: string): void {
    const timer = setTimeout(() => {
      const latest = this.#waiting.get(id)?.latest;
      this.#waiting.delete(id);
      if (!latest) return;
      this.#emit(latest);
      this.#pause(id);
    }, this.#interval);
    this.#waiting.set(id, { timer, latest: undefined });
  }
}
