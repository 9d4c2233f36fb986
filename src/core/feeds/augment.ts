/**
 * Standard augmentation of small images (He et al. 2016, section 4.2): black padding, a random crop
 * of the original size, and a mirror image half of the time.
 */
import type { Random } from "../models/random.ts";

export interface Augmentation {
  /** Pixels of padding on every side before the crop; 0 for none. */
  readonly crop: number;
  /** Whether half of the images are mirrored left to right. */
  readonly flip: boolean;
}

type Pixels = Uint8Array | Float32Array;

/**
 * Writes an image, shifted and possibly mirrored, to `to` at offset `at`.
 * @param from all images; this one starts at `start`
 * @param shape `[channels, height, width]`
 */
export function augmentInto(to: Pixels, at: number, from: Pixels, start: number, shape: readonly number[], { crop, flip }: Augmentation, random: Random): void {
  const [channels, height, width] = shape as [number, number, number];
  const [down, right] = crop > 0 ? [random.below(2 * crop + 1) - crop, random.below(2 * crop + 1) - crop] : [0, 0];
  const mirrored = flip && random.below(2) === 1;
  // Visible columns of the image, and the first one's column in the result. Copied byte by byte,
  // since rows are short.
  const [left, end] = [Math.max(0, right), Math.min(width, width + right)];
  const [first, direction] = mirrored ? [width - 1 - (left - right), -1] : [left - right, 1];
  to.fill(0, at, at + channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      const source = start + (channel * height + y + down) * width;
      let target = at + (channel * height + y) * width + first;
      for (let x = left; x < end; x++, target += direction) to[target] = from[source + x]!;
    }
  }
}
