/** A short piece of the IPC campaign, on the channels themselves: `npm run test:surface -- 100000 SEED ipc` is the long one. */
import { expect, it, vi } from "vitest";
import { eventNames, requestNames } from "../../../src/shared/contract.ts";
import { droppedChannel, openedChannel, requestChannel } from "../../../src/shared/channels.ts";
import { connectWindow } from "../../../src/main/desktop/ipc.ts";
import { fakeServices } from "../../support/fakeServices.ts";
import { RandomJson } from "../../faults/randomJson.ts";
import { fuzzSurface, type SurfaceReply } from "../../faults/surfaceFuzz.ts";
import { exotic, foreign, own } from "../../faults/surfaceIpcValues.ts";

type Handle = (event: unknown, ...parameters: unknown[]) => Promise<unknown>;
const electron = vi.hoisted(() => ({ handlers: new Map<string, Handle>() }));
vi.mock("electron", () => ({ ipcMain: { handle: (channel: string, handle: Handle) => electron.handlers.set(channel, handle) }, dialog: { showOpenDialog: () => Promise.resolve({ canceled: true, filePaths: [] }) } }));

it("malformed requests over IPC are answered, and foreign senders are not", async () => {
  vi.spyOn(console, "warn").mockReturnValue();
  const services = fakeServices();
  connectWindow(services, () => null);
  expect([...electron.handlers.keys()].toSorted()).toEqual([droppedChannel, openedChannel, ...requestNames.map(requestChannel)].toSorted());
  expect(services.listeners()).toBe(eventNames.length);
  const sender = {};
  const invoke = async (channel: string, frame: unknown, input: unknown) => await electron.handlers.get(channel)!({ sender, senderFrame: frame }, structuredClone(input));
  const result = await fuzzSurface(
    {
      ask: async (name, input) => ((requestNames as readonly string[]).includes(name) ? ((await invoke(requestChannel(name as never), own, input)) as SurfaceReply) : { ok: false, error: { message: "no handler" } }),
      raw: async (random) => {
        const channel = random.below(4) === 0 ? random.of([droppedChannel, openedChannel]) : requestChannel(random.of(requestNames));
        const answer = await invoke(channel, random.of(foreign), random.any()).then(() => "answered", (error: Error) => error.message);
        return answer === "this page may not send requests" ? null : `${channel}: ${answer}`;
      },
      exotic,
      closed: () => null,
      output: () => "",
      memory: [],
      ended: new Promise<never>(() => undefined),
      end: () => Promise.resolve(0),
    },
    new RandomJson(5, ["r1", "r2"]),
    1_500,
  );
  expect(result.faults).toEqual([]);
  expect(result.sent).toBe(1_500);
});
