/** Stored measurements of machines: how fast engines and cohorts train a program, and which engines work. */
import type { Database, Statement } from "better-sqlite3";
import type { Writer } from "./writer.ts";

export interface MeasurementsOptions {
  readonly read: <T>(what: string, work: () => T) => T;
  readonly write: Pick<Writer, "change">;
}

export class MeasurementTable {
  readonly #options: MeasurementsOptions;
  readonly #find: Statement<[string, string, number], string>;
  readonly #save: Statement<[string, string, number, string]>;

  constructor({ writer, reader }: { writer: Database; reader: Database }, options: MeasurementsOptions) {
    this.#options = options;
    // The table's name dates from when it held only calibrations of studies.
    this.#find = reader.prepare<[string, string, number], string>("SELECT result FROM calibrations WHERE program = ? AND machine = ? AND at > ?").pluck();
    this.#save = writer.prepare("INSERT OR REPLACE INTO calibrations (program, machine, at, result) VALUES (?, ?, ?, ?)");
  }

  /**
   * @param after milliseconds since 1970; older measurements are ignored
   * @returns the saved JSON; undefined if there is none
   */
  find(program: string, machine: string, after: number): string | undefined {
    return this.#options.read("measurements", () => this.#find.get(program, machine, after));
  }

  /** Replaces an earlier measurement; committed when this returns. @param result JSON */
  save(program: string, machine: string, result: string): void {
    this.#options.write.change("save a measurement", () => this.#save.run(program, machine, Date.now(), result));
  }
}
