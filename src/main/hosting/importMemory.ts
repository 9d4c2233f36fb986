/** How much memory a process that reads files from elsewhere may have. */
import { totalmem } from "node:os";
import type { HelperOptions } from "./process.ts";

const [least, most] = [2 ** 30, 12 * 2 ** 30];

/** Bytes: three fifths of what the machine or container has; a dataset has to fit into the memory to be trained on anyway. */
export function importMemory(total = Math.min(totalmem(), process.constrainedMemory() || Infinity)): { readonly resident: number; readonly heap: number } {
  const resident = Math.round(Math.min(most, Math.max(least, 0.6 * total)));
  return { resident, heap: Math.min(resident / 2, 4 * 2 ** 30) };
}

/** Options of the importer's process. */
export function importerOptions({ resident, heap } = importMemory()): HelperOptions {
  return { args: [String(resident)], execArgv: [`--max-old-space-size=${Math.floor(heap / 2 ** 20)}`] };
}
