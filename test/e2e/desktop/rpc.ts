/** Calls in both directions over the channel of a child process. */
import { messageOf } from "../../../src/shared/errors.ts";

export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

type Message =
  | { readonly call: number; readonly method: string; readonly argument: unknown }
  | { readonly answer: number; readonly value?: unknown; readonly error?: string };

/** Answers calls with `methods`; returns what calls the other side. */
export function connectRpc(channel: Channel, methods: Methods): (method: string, argument?: unknown) => Promise<unknown> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let next = 1;

  const answer = async (call: number, method: string, argument: unknown): Promise<void> => {
    try {
      const implementation = methods[method];
      if (!implementation) throw new Error(`there is no method ${method}`);
      channel.send({ answer: call, value: await implementation(argument as never) });
    } catch (error) {
      channel.send({ answer: call, error: messageOf(error) });
    }
  };

  channel.onMessage((received) => {
    const message = received as Message;
    if ("call" in message) void answer(message.call, message.method, message.argument);
    else {
      const pending = waiting.get(message.answer);
      waiting.delete(message.answer);
      if (message.error === undefined) pending?.resolve(message.value);
      else pending?.reject(new Error(message.error));
    }
  });

  return (method, argument) =>
    new Promise((resolve, reject) => {
      const call = next++;
      waiting.set(call, { resolve, reject });
      channel.send({ call, method, argument });
    });
}
