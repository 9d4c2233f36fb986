/** Reads segments in their order, several at a time: a round trip each would bound what a coordinator takes in. */
import { FleetError, type SegmentRef } from "../fleet.ts";
import type { Queries } from "./database.ts";

/** What is read ahead: segments, and their bytes. */
const ahead = { segments: 64, bytes: 8 << 20 } as const;

const keyOf = ({ unit, attempt, sequence }: SegmentRef): string => `${unit} ${attempt} ${sequence}`;

export class ReadAhead {
  readonly #queries: Queries;
  #read = new Map<string, Buffer>();

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** @throws FleetError */
  async read(segment: SegmentRef): Promise<Buffer> {
    const kept = this.#read.get(keyOf(segment));
    this.#read.delete(keyOf(segment));
    if (kept) return kept;
    const { unit, attempt, sequence } = segment;
    const rows = await this.#queries.query<{ attempt: number; sequence: number; bytes: Buffer }>(
      `SELECT attempt, sequence, bytes FROM (
         SELECT *, sum(octet_length(bytes)) OVER (ORDER BY attempt, sequence) AS total FROM (
           SELECT * FROM hypertower.segments WHERE unit = $1 AND (attempt, sequence) >= ($2::int, $3::int) ORDER BY attempt, sequence LIMIT ${ahead.segments}) s
       ) t WHERE total <= ${ahead.bytes} OR (attempt, sequence) = ($2::int, $3::int) ORDER BY attempt, sequence`,
      [unit, attempt, sequence],
    );
    // Only what belongs to one reading stays in memory.
    const read = new Map(rows.map(({ bytes, ...row }) => [keyOf({ unit, ...row }), bytes]));
    const found = read.get(keyOf(segment));
    if (!found) throw new FleetError(`segment ${sequence} of attempt ${attempt} of unit ${unit} is not in the queue any more`, { retry: false });
    read.delete(keyOf(segment));
    this.#read = read;
    return found;
  }
}
