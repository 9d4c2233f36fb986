/** Thinned runs: the logged values are erased, and their summaries in buckets of some steps stay. */
import { z } from "zod";

/** Allowed numbers of steps per kept bucket: widths of the pyramid that hold whole spans of checksums. */
export const thinWidths = [256, 2048, 16_384, 131_072] as const;
export const thinWidth = z.union(thinWidths.map((width) => z.literal(width)));
export type ThinWidth = z.infer<typeof thinWidth>;
export const defaultThinWidth: ThinWidth = 256;

/** When a run was thinned, and the number of steps per kept bucket. */
export const thinned = z.object({ at: z.number(), width: thinWidth });
export type Thinned = z.infer<typeof thinned>;

/** First step after step 0 whose value stays: fewer values than a bucket holds, and at least the last one. */
export function keptFrom(lastStep: number, width: number): number {
  return Math.max(0, Math.floor(lastStep / width) * width);
}

/** Why something that needs every value of a thinned run is impossible. */
export function thinnedProblem(name: string, { at, width }: Thinned): string {
  return `Run ${name} was thinned on ${new Date(at).toISOString().slice(0, 10)}: its values were erased, and only summaries of ${width} steps each are kept.`;
}

/** What to do instead of exporting the steps of a thinned run. */
export const thinnedExport = "An export of its schedule needs every value. Train it again (a new run of the same experiment), or restore a backup from before; a report holds the summaries.";

/** Size of what a thinned metric of `steps` steps keeps, in units of a logged value with its share of summaries. */
export function keptWeight(steps: number, width: number): number {
  const last = steps - keptFrom(steps - 1, width);
  return Math.ceil((3.1 * steps) / width + last);
}
