/** Reads rows around pages that cannot be read. */

/** Keys further than this after the last readable row are not tried: no store has so many rows. */
const farthest = 2 ** 42;

const rowsAtOnce = 256;

/**
 * Rows in order of an integer key. Where a read fails, searches for the next key after which one succeeds.
 * @param read rows with a key greater than `after`, in order, at most `limit`
 * @param onGap called with the keys between which rows cannot be read; `to` is null at the end
 */
export function* readAround<Row>(read: (after: number, limit: number) => Row[], keyOf: (row: Row) => number, onGap: (from: number, to: number | null) => void, first = -1): Generator<Row> {
  let after = first;
  for (;;) {
    const rows = attempt(read, after, rowsAtOnce) ?? attempt(read, after, 1);
    if (rows?.length === 0) return;
    if (rows) {
      yield* rows;
      const last = keyOf(rows.at(-1)!);
      // Damaged keys may stand out of order.
      if (!(last > after)) return;
      after = last;
      continue;
    }
    const next = nextReadable(read, after);
    onGap(after + 1, next);
    if (next === null) return;
    after = next;
  }
}

function attempt<Row>(read: (after: number, limit: number) => Row[], after: number, limit: number): Row[] | undefined {
  try {
    return read(after, limit);
  } catch {
    return undefined;
  }
}

/** The smallest key found after which a read succeeds; null where none does. */
function nextReadable<Row>(read: (after: number, limit: number) => Row[], after: number): number | null {
  let jump = 1;
  while (attempt(read, after + jump, 1) === undefined) {
    jump *= 2;
    if (jump > farthest) return null;
  }
  let fails = Math.floor(jump / 2);
  let succeeds = jump;
  while (succeeds - fails > 1) {
    const middle = Math.floor((fails + succeeds) / 2);
    if (attempt(read, after + middle, 1) === undefined) fails = middle;
    else succeeds = middle;
  }
  return after + succeeds;
}
