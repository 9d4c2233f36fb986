import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ConnectionLost, WebSocketBridge, type Socket } from "@/transport/webSocket.ts";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onclose: Socket["onclose"] = null;
  onmessage: Socket["onmessage"] = null;
  readyState = 1;
  readonly sent: { id: number; name: string; input: unknown }[] = [];
  send(data: string): void {
    this.sent.push(JSON.parse(data) as { id: number; name: string; input: unknown });
  }
  receive(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }
}

let sockets: FakeSocket[];
let states: [string, boolean][];
let bridge: WebSocketBridge;
const open = (index: number) => sockets[index]?.onopen?.({} as Event);
const close = (index: number) => sockets[index]?.onclose?.({} as CloseEvent);

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  states = [];
  bridge = new WebSocketBridge({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onState: (state, again) => states.push([state, again]),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

it("sends what was asked before it was open, and matches answers by id", async () => {
  const first = bridge.request("app.info", {});
  const second = bridge.request("datasets.list", {});
  open(0);
  expect(sockets[0]?.sent.map(({ name }) => name)).toEqual(["app.info", "datasets.list"]);
  const [a, b] = sockets[0]?.sent ?? [];
  sockets[0]?.receive({ id: b?.id, reply: { ok: true, value: [] } });
  sockets[0]?.receive({ id: a?.id, reply: { ok: false, error: { message: "no" } } });
  await expect(second).resolves.toEqual({ ok: true, value: [] });
  await expect(first).resolves.toEqual({ ok: false, error: { message: "no" } });
});

it("sends nothing over a connection that is closing", async () => {
  open(0);
  sockets[0]!.readyState = 2;
  await expect(bridge.request("runs.list", {})).rejects.toBeInstanceOf(ConnectionLost);
  expect(sockets[0]?.sent).toEqual([]);
});

it("rejects what is under way when the connection drops, and what is asked until it is back", async () => {
  open(0);
  const pending = bridge.request("runs.list", {});
  close(0);
  await expect(pending).rejects.toBeInstanceOf(ConnectionLost);
  await expect(bridge.request("runs.list", {})).rejects.toBeInstanceOf(ConnectionLost);
  expect(states.at(-1)).toEqual(["lost", false]);
});

it("reconnects with growing pauses, keeps its listeners, and sends nothing twice", () => {
  const heard: unknown[] = [];
  bridge.on("store.changed", (payload) => heard.push(payload));
  open(0);
  void bridge.request("runs.list", {}).catch(() => undefined);
  close(0);
  vi.advanceTimersByTime(250);
  expect(sockets).toHaveLength(2);
  close(1);
  vi.advanceTimersByTime(499);
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(sockets).toHaveLength(3);
  open(2);
  expect(states.at(-1)).toEqual(["open", true]);
  expect(sockets[2]?.sent).toEqual([]);
  sockets[2]?.receive({ event: "store.changed", payload: { runs: [], studies: [] } });
  expect(heard).toEqual([{ runs: [], studies: [] }]);
});

it("stops telling a listener that has unsubscribed", () => {
  const heard: unknown[] = [];
  const stop = bridge.on("store.changed", (payload) => heard.push(payload));
  open(0);
  stop();
  sockets[0]?.receive({ event: "store.changed", payload: { runs: [], studies: [] } });
  expect(heard).toEqual([]);
});
