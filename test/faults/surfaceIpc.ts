/** The built desktop app over IPC, with Electron's stub: requests of its own page, and what only a page gone bad would send. */
import { droppedChannel, eventChannel, openedChannel, requestChannel } from "../../src/shared/channels.ts";
import { requestNames, type RequestName } from "../../src/shared/contract.ts";
import { startApp } from "../e2e/desktop/app.ts";
import type { RandomJson } from "./randomJson.ts";
import { exotic, foreign, own } from "./surfaceIpcValues.ts";
import { isCostly, type Surface, type SurfaceReply } from "./surfaceFuzz.ts";

export async function overIpc(storeDir: string): Promise<Surface> {
  let opened = (): void => undefined;
  const loaded = new Promise<void>((resolve) => (opened = resolve));
  const app = startApp(storeDir, { load: () => Promise.resolve(opened()), receive: () => Promise.resolve(), reload: () => Promise.resolve() });
  const ended = app.process.exited.then((code) => Promise.reject(new Error(`the app ended with ${String(code)}:\n${app.process.output().slice(-4_000)}`)));
  ended.catch(() => undefined);
  await Promise.race([loaded, ended]);
  const memory: number[] = [];
  const timer = setInterval(() => void app.call("memory").then((rss) => memory.push(rss as number)), 500);
  const invoke = (channel: string, parameters: unknown[], frame: unknown = own) => app.call("invoke", { channel, parameters, frame });
  return {
    memory,
    ended,
    closed: () => (app.process.over ? "the app has ended" : app.errorBoxes.length > 0 ? `the app showed an error: ${app.errorBoxes[0]!.content}` : null),
    output: () => app.process.output(),
    async ask(name, input) {
      try {
        return (await invoke(requestChannel(name as RequestName), [input])) as SurfaceReply;
      } catch (error) {
        const known = (requestNames as readonly string[]).includes(name);
        const refused = error instanceof Error && error.message.startsWith("No handler registered");
        return { ok: false, error: { message: !known && refused ? "refused" : `failed unexpectedly: ${String(error)}` } };
      }
    },
    raw: (random) => malformed(random, invoke),
    exotic,
    async end() {
      clearInterval(timer);
      return app.process.end();
    },
  };
}

async function malformed(random: RandomJson, invoke: (channel: string, parameters: unknown[], frame?: unknown) => Promise<unknown>): Promise<string | null> {
  const request = requestChannel(random.of(requestNames.filter((name) => !isCostly(name))));
  const input = random.any();
  switch (random.below(4)) {
    case 0: {
      const channel = random.below(4) === 0 ? random.of([droppedChannel, openedChannel]) : request;
      const frame = random.of(foreign);
      return expectRefusal(invoke(channel, [input], frame), "this page may not send requests", `a foreign frame was answered on ${channel}: ${JSON.stringify(frame)}`);
    }
    case 1: {
      const channel = random.of(["", "hypertower:request:", `${request}x`, request.toUpperCase(), "hypertower:request:__proto__", "hypertower:request:constructor", eventChannel("run.changed"), "ELECTRON_BROWSER_REQUIRE", String(random.any(0))]);
      return expectRefusal(invoke(channel, [input]), "No handler registered", `the channel ${channel} was answered`);
    }
    case 2:
      // Any number of parameters: none, or more than the one that counts.
      return expectFailure(invoke(request, random.below(2) === 0 ? [] : ["no input", input, input]), request);
    default: {
      const value = await invoke(droppedChannel, [random.below(2) === 0 ? input : `/nowhere/${JSON.stringify(input)}`]);
      return value === null || typeof value === "string" ? null : `a dropped file was answered with ${String(value)}`;
    }
  }
}

async function expectRefusal(answer: Promise<unknown>, message: string, otherwise: string): Promise<string | null> {
  try {
    await answer;
    return otherwise;
  } catch (error) {
    return error instanceof Error && error.message.startsWith(message) ? null : `refused with another error: ${String(error)}`;
  }
}

async function expectFailure(answer: Promise<unknown>, channel: string): Promise<string | null> {
  const reply = (await answer) as SurfaceReply;
  return typeof reply?.ok === "boolean" && !reply.error?.message.includes("failed unexpectedly") ? null : `${channel} answered ${JSON.stringify(reply)}`;
}
