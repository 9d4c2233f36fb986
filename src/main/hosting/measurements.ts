/** Stored measurements of one machine, valid for its signature only. */
import type { z } from "zod";
import type { Store } from "../store/store.ts";

export class Measurements {
  readonly #store: Pick<Store, "measurements">;
  readonly #machine: Promise<string>;

  /** @param machine the machine's signature */
  constructor(store: Pick<Store, "measurements">, machine: Promise<string>) {
    this.#store = store;
    this.#machine = machine;
  }

  /** Null without a value that was saved under this key in the last `validFor` milliseconds. */
  async read<T>(key: string, schema: z.ZodType<T>, validFor: number): Promise<T | null> {
    const machine = await this.#machine;
    const stored = this.#store.measurements.find(key, machine, Math.max(0, Date.now() - validFor));
    const parsed = stored === undefined ? undefined : schema.safeParse(JSON.parse(stored));
    return parsed?.success ? parsed.data : null;
  }

  async save(key: string, value: unknown): Promise<void> {
    const machine = await this.#machine;
    this.#store.measurements.save(key, machine, JSON.stringify(value));
  }
}
