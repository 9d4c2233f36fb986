/** Axes of images: whether the channels come first or last. */
import type { Layout } from "../../shared/datasets.ts";
import { arrayLike, type Labels } from "./dataset.ts";

const isChannels = (n: number) => n === 1 || n === 3 || n === 4;

/**
 * The layout that a shape of three axes says: the axis that is 1, 3 or 4 holds the channels; else the
 * two equal axes are height and width. Null where both readings are possible.
 */
export function guessedLayout([first = 0, second = 0, last = 0]: readonly number[]): Layout | null {
  if (isChannels(first) !== isChannels(last)) return isChannels(last) ? "hwc" : "chw";
  const [planesFirst, planesLast] = [second === last, first === second];
  if (planesFirst === planesLast) return null;
  return planesFirst ? "chw" : "hwc";
}

/** Values with the channels first; `shape` is of one example: `[height, width, channels]`. */
export function channelsFirst<A extends Labels>(values: A, count: number, [height, width, channels]: readonly [number, number, number]): A {
  const plane = height * width;
  const result = arrayLike(values, values.length);
  for (let i = 0; i < count; i++) {
    const start = i * plane * channels;
    for (let p = 0; p < plane; p++) for (let c = 0; c < channels; c++) result[start + c * plane + p] = values[start + p * channels + c]!;
  }
  return result;
}
