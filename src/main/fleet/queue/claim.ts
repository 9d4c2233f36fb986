/** A unit that a worker has taken from a queue. */
import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { networkFile } from "../../../core/networks/folder.ts";
import type { Unit } from "../../../shared/fleet/unit.ts";
import { FleetError, type UnitSteering } from "../fleet.ts";
import type { Claim, KeptCheckpoint } from "../worker/source.ts";
import type { QueueDatabase } from "./database.ts";
import { piecesOf } from "./files.ts";
import { ClaimLost } from "./problems.ts";

export interface QueueClaimOptions {
  readonly database: QueueDatabase;
  /** By which the queue knows the claim. */
  readonly id: string;
  readonly unit: Unit;
  readonly attempt: number;
  readonly networks: string;
  /** It was ended or lost. */
  readonly onDone: () => void;
}

export class QueueClaim implements Claim {
  readonly unit: Unit;
  readonly attempt: number;
  readonly #options: QueueClaimOptions;
  readonly #steered: UnitSteering[] = [];
  readonly #steering = new Set<(steering: UnitSteering) => void>();
  readonly #losing = new Set<(reason: string) => void>();
  #lastSteering = 0;
  #reading: Promise<void> | undefined;
  #lost: string | undefined;

  constructor(options: QueueClaimOptions) {
    this.#options = options;
    this.unit = options.unit;
    this.attempt = options.attempt;
    void this.readSteering();
  }

  async checkpoint(run: string): Promise<KeptCheckpoint | null> {
    const [found] = await this.#ask<{ step: string; chunks: number }>("SELECT step, chunks FROM hypertower.checkpoint($1, $2)", run);
    if (!found) return null;
    const parts: Buffer[] = [];
    for (let chunk = 0; chunk < found.chunks; chunk++) parts.push(await this.#bytes("SELECT hypertower.checkpoint_chunk($1, $2, $3)", run, chunk));
    return { run, step: Number(found.step), bytes: Buffer.concat(parts) };
  }

  async endedRuns(): Promise<ReadonlySet<string>> {
    const [row] = await this.#ask<{ runs: string[] }>("SELECT hypertower.ended_runs($1) AS runs");
    return new Set(row!.runs);
  }

  async networks(): Promise<string> {
    const folder = this.#options.networks;
    await mkdir(folder, { recursive: true });
    for (const sha of this.unit.needs.networks) await this.#fetchNetwork(folder, sha);
    return folder;
  }

  async putSegment(sequence: number, bytes: Uint8Array, endedRuns: readonly string[]): Promise<void> {
    await this.#ask("SELECT hypertower.put_segment($1, $2, $3, $4)", sequence, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), endedRuns);
  }

  async putCheckpoint({ run, step, bytes }: KeptCheckpoint, sequence: number): Promise<void> {
    await this.#guarded(() =>
      this.#options.database.transaction(async (queries) => {
        let chunk = 0;
        for (const piece of piecesOf(bytes)) await queries.query("SELECT hypertower.put_checkpoint($1, $2, $3, $4, $5, $6, $7)", [this.#options.id, run, step, sequence, bytes.length, chunk++, piece]);
      }),
    );
  }

  onSteering(listener: (steering: UnitSteering) => void): () => void {
    for (const steering of this.#steered) listener(steering);
    this.#steering.add(listener);
    return () => this.#steering.delete(listener);
  }

  onLost(listener: (reason: string) => void): () => void {
    if (this.#lost !== undefined) listener(this.#lost);
    this.#losing.add(listener);
    return () => this.#losing.delete(listener);
  }

  async end(outcome: Parameters<Claim["end"]>[0]): Promise<void> {
    await this.#ask("SELECT hypertower.finish($1, $2, $3)", outcome.type, "reason" in outcome ? outcome.reason : null);
    this.#options.onDone();
  }

  lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#options.onDone();
    for (const listener of this.#losing) listener(reason);
  }

  /** Asks for requests that came since the last time. */
  readSteering(): Promise<void> {
    return (this.#reading ??= this.#readSteering().finally(() => (this.#reading = undefined)));
  }

  async #readSteering(): Promise<void> {
    // Where it fails, the next notification or sign of life asks again.
    const rows = await this.#ask<{ id: string; type: UnitSteering["type"]; run: string | null }>("SELECT id, type, run FROM hypertower.steering($1, $2)", this.#lastSteering).catch(() => []);
    for (const { id, type, run } of rows) {
      this.#lastSteering = Number(id);
      this.#steered.push({ type, run });
      for (const listener of this.#steering) listener({ type, run });
    }
  }

  #ask<R extends object>(text: string, ...values: readonly unknown[]): Promise<R[]> {
    return this.#guarded(() => this.#options.database.query<R & Record<string, unknown>>(text, [this.#options.id, ...values]));
  }

  async #bytes(text: string, ...values: readonly unknown[]): Promise<Buffer> {
    const [bytes] = await this.#guarded(() => this.#options.database.bytes(text, [this.#options.id, ...values]));
    if (!bytes) throw new FleetError("A file of the unit is incomplete in the queue.", { retry: true });
    return bytes;
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lost !== undefined) throw new ClaimLost(this.#lost);
    try {
      return await work();
    } catch (error) {
      if (error instanceof ClaimLost) this.lose(error.message);
      throw error;
    }
  }

  async #fetchNetwork(folder: string, sha: string): Promise<void> {
    const path = networkFile(folder, sha);
    if (await stat(path).then(() => true, () => false)) return;
    const [work, hash] = [`${path}.${process.pid}-${this.#options.id}`, createHash("sha256")];
    const file = await open(work, "w");
    try {
      for (let chunk = 0; ; chunk++) {
        const [bytes] = await this.#guarded(() => this.#options.database.bytes("SELECT hypertower.network_chunk($1, $2, $3)", [this.#options.id, sha, chunk]));
        if (!bytes) break;
        hash.update(bytes);
        await file.write(bytes);
      }
      if (hash.digest("hex") !== sha) throw new FleetError(`The imported network ${sha.slice(0, 12)} in the queue is damaged or incomplete.`, { retry: false });
      await file.close();
      await rename(work, path);
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(work, { force: true });
      throw error;
    }
  }
}
