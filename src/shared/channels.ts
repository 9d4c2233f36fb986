/** Names of all IPC channels, derived from the contract. */
import type { EventName, RequestName } from "./contract.ts";

export function requestChannel(name: RequestName): string {
  return `hypertower:request:${name}`;
}

export function eventChannel(name: EventName): string {
  return `hypertower:event:${name}`;
}
