/** The published datasets, in the order in which they are listed. Adding one: its file, and its line here. */
import { cifar10 } from "./cifar10.ts";
import { digits } from "./digits.ts";
import type { DatasetEntry } from "./entry.ts";
import { fashionMnist } from "./fashionMnist.ts";
import { iris } from "./iris.ts";
import { mnist } from "./mnist.ts";
import { tinyShakespeare } from "./tinyShakespeare.ts";
import { warAndPeace } from "./warAndPeace.ts";

export const catalog: readonly DatasetEntry[] = [mnist, fashionMnist, cifar10, tinyShakespeare, warAndPeace, digits, iris];

export function catalogEntry(id: string): DatasetEntry | undefined {
  return catalog.find((entry) => entry.id === id);
}
