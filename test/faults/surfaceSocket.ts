/** The real server over its WebSocket: requests on one connection, malformed frames and handshakes on others. */
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSocket, sendMalformed, type Session } from "./surfaceFrames.ts";
import type { Surface, SurfaceReply } from "./surfaceFuzz.ts";

export async function overSocket(folder: string): Promise<Surface> {
  const preload = join(folder, "watch.mjs");
  writeFileSync(preload, `process.on("unhandledRejection", (error) => { console.error("UNHANDLED", error); });\nsetInterval(() => process.send?.({ rss: process.memoryUsage().rss }), 500).unref();\n`);
  const server = fork(join(import.meta.dirname, "../../src/main/headless/entry.ts"), ["serve", "--port", "0", "--store", join(folder, "store")], {
    env: { ...process.env, HYPERTOWER_DATA: join(folder, "data"), HYPERTOWER_ENGINE: "onnx-cpu", HOME: join(folder, "home") },
    execArgv: ["--import", preload],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  const memory: number[] = [];
  server.on("message", ({ rss }: { rss: number }) => memory.push(rss));
  const ended = new Promise<never>((_, fail) => server.on("exit", (code, signal) => fail(new Error(`the server ended with ${code ?? signal}:\n${output.slice(-4_000)}`))));
  ended.catch(() => undefined);
  const link = await Promise.race([
    ended,
    new Promise<URL>((resolve) => {
      for (const stream of [server.stdout!, server.stderr!]) {
        stream.on("data", (text: Buffer) => {
          output = (output + text.toString()).slice(-200_000);
          const found = /(http:\S+token=\S+)/.exec(output)?.[1];
          if (found) resolve(new URL(found));
        });
      }
    }),
  ]);

  const welcome = await fetch(link);
  const cookie = welcome.headers.get("set-cookie")!.split(";")[0]!;
  const key = /data-key="([^"]+)"/.exec(await welcome.text())![1]!;
  const session: Session = { link, cookie, key };
  const socket = await openSocket(session);
  const waiting = new Map<number, (reply: SurfaceReply) => void>();
  let closed: string | null = null;
  let nextId = 1;
  socket.on("close", (code) => (closed = `the socket closed with ${code}`));
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { id?: number; reply: SurfaceReply };
    if (message.id === undefined) return;
    waiting.get(message.id)?.(message.reply);
    waiting.delete(message.id);
  });

  return {
    memory,
    ended,
    closed: () => closed,
    output: () => output,
    ask: (name, input) =>
      new Promise((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, name, input }));
      }),
    raw: (random) => sendMalformed(random, session),
    async end() {
      const exited = new Promise<number | null>((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      return exited;
    },
  };
}
