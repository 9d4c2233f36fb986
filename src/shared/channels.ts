/** Names of all IPC channels, derived from the contract. */
import type { EventName, RequestName } from "./contract.ts";

export function requestChannel(name: RequestName): string {
  return `hypertower:request:${name}`;
}

export function eventChannel(name: EventName): string {
  return `hypertower:event:${name}`;
}

/** Tells the desktop app the path of a file that was dropped on the window. Sent by the preload alone, never with a path of the page's. */
export const droppedChannel = "hypertower:dropped";

/** Hands the window the files and links that wait for it. */
export const openedChannel = "hypertower:opened";
/** Tells the window that files or links wait. */
export const openingChannel = "hypertower:opening";
