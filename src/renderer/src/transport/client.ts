/** The window's connection; requests resolve to values or reject with readable errors. */
import type { EventName, EventPayload, RequestInput, RequestName, RequestOutput } from "@shared/contract.ts";
import type { FieldError } from "@shared/experiment.ts";
import { connect, type Connection } from "./connection.ts";

export { messageOf } from "@shared/errors.ts";
export { ConnectionLost } from "./webSocket.ts";

/** A request that the services refused, with the fields concerned. */
export class RequestError extends Error {
  readonly fields: readonly FieldError[];
  constructor(message: string, fields: readonly FieldError[]) {
    super(message);
    this.name = "RequestError";
    this.fields = fields;
  }
}

let current: Connection | undefined;

export function connection(): Connection {
  return (current ??= connect());
}

/** Sends a request; rejects with RequestError when refused, ConnectionLost without an answer. */
export async function call<N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
  // Reactive objects cannot be cloned into the preload: send plain data.
  const plain = JSON.parse(JSON.stringify(input)) as RequestInput<N>;
  const reply = await connection().bridge.request(name, plain);
  if (!reply.ok) throw new RequestError(reply.error.message, reply.error.fields ?? []);
  return reply.value;
}

/** Subscribes to an event; returns its unsubscribe. */
export function listen<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
  return connection().bridge.on(name, listener);
}
