/**
 * Malformed requests to the real server over its WebSocket: `node test/faults/surface.ts [MESSAGES] [SEED]`.
 * Inputs are made from each request's own schema and bent. Counted as faults: a reply that "failed unexpectedly",
 * no reply, an unhandled rejection, a process that ended, memory that grows.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { z } from "zod";
import { contract, requestNames, type RequestName } from "../../src/shared/contract.ts";
import { keyProtocol, socketProtocol } from "../../src/shared/socket.ts";
import { RandomJson } from "./randomJson.ts";

const messages = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
const folder = mkdtempSync(join(tmpdir(), "hypertower-surface-"));
const preload = join(folder, "watch.mjs");
writeFileSync(preload, `process.on("unhandledRejection", (error) => { console.error("UNHANDLED", error); });\nsetInterval(() => process.send?.({ rss: process.memoryUsage().rss }), 500).unref();\n`);

const server = fork(join(import.meta.dirname, "../../src/main/headless/index.ts"), ["serve", "--port", "0", "--store", join(folder, "store")], {
  env: { ...process.env, HYPERTOWER_DATA: join(folder, "data"), HYPERTOWER_ENGINE: "onnx-cpu" },
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
const socket = new WebSocket(`ws://${link.host}/ws`, [socketProtocol, keyProtocol(key)], { headers: { cookie, origin: link.origin } });
await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));

const waiting = new Map<number, (reply: { ok: boolean; value?: unknown; error?: { message: string } }) => void>();
let closed: string | null = null;
socket.on("close", (code) => (closed = `the socket closed with ${code}`));
socket.on("message", (data: Buffer) => {
  const message = JSON.parse(data.toString()) as { id?: number; reply: { ok: boolean; error?: { message: string } } };
  if (message.id === undefined) return;
  waiting.get(message.id)?.(message.reply);
  waiting.delete(message.id);
});
let nextId = 1;
function ask(name: string, input: unknown): Promise<{ ok: boolean; value?: unknown; error?: { message: string } }> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ id, name, input }));
  });
}

// Two runs and a study to ask about, trained for a moment.
const small = { dataset: { trainExamples: 320, testExamples: 100 }, model: { hidden: [4] }, batchSize: 64, budget: { epochs: 1 } };
const known: string[] = [];
for (const name of ["one", "two"]) known.push(((await ask("runs.start", { experiment: { ...small, name } })).value as { id: string }).id);
const study = await ask("studies.start", { study: { name: "s", base: small, axes: [{ values: { kind: "list", values: [0.1] } }], heights: { values: [0] }, seeds: [0] } });
known.push((study.value as { id: string }).id);
while (((await ask("runs.list", {})).value as { status: string }[]).some(({ status }) => status !== "finished")) await new Promise((resolve) => setTimeout(resolve, 200));

/** These train, measure or fetch when they are let: their inputs are never what they take. */
const costly = new Set<RequestName>(["runs.start", "runs.resume", "studies.start", "studies.resume", "studies.retry", "studies.extend", "studies.estimate", "engines.calibrate", "engines.retry", "datasets.download", "predictions.read"] as RequestName[]);
const schemas = Object.fromEntries(requestNames.map((name) => [name, z.toJSONSchema(contract.requests[name].input, { io: "input", unrepresentable: "any" })]));
const random = new RandomJson(seed, known);
const faults = new Map<string, number>();
const counts = new Map<string, number>();
const begun = performance.now();
let sent = 0;

async function worker(): Promise<void> {
  while (sent < messages && closed === null) {
    sent++;
    const name = random.below(50) === 0 ? String(random.any(0)) : random.of(requestNames);
    const schema = schemas[name];
    const input = schema === undefined || random.below(4) === 0 ? random.any() : random.after(schema, costly.has(name as RequestName) ? 3 : 12);
    if (costly.has(name as RequestName) && contract.requests[name as RequestName].input.safeParse(input).success) continue;
    const slow = new Promise<"slow">((resolve) => setTimeout(() => resolve("slow"), 20_000).unref());
    const reply = await Promise.race([ask(name, input), slow, ended]);
    const said = reply === "slow" ? "no reply in 20 s" : reply.ok ? "ok" : /failed unexpectedly/.test(reply.error!.message) ? reply.error!.message : "refused";
    counts.set(said === "ok" || said === "refused" ? said : "fault", (counts.get(said === "ok" || said === "refused" ? said : "fault") ?? 0) + 1);
    if (said !== "ok" && said !== "refused") {
      const line = `${name}: ${said.replaceAll(/[0-9]+/g, "N").slice(0, 200)}`;
      if (!faults.has(line)) console.log(`fault: ${line}\n  input ${JSON.stringify(input).slice(0, 300)}`);
      faults.set(line, (faults.get(line) ?? 0) + 1);
    }
  }
}
await Promise.all(Array.from({ length: 32 }, worker));
const seconds = (performance.now() - begun) / 1000;
const half = memory.slice(Math.floor(memory.length / 2));
const [early, late] = [Math.max(...memory.slice(0, Math.ceil(memory.length / 4))), Math.max(...half)];
const problems = [
  ...(closed === null ? [] : [closed]),
  ...(output.match(/UNHANDLED.*/g) ?? []),
  ...(late > 2 * early + 200e6 ? [`memory grew from ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB`] : []),
];
console.log(`seed ${seed}: ${sent} messages in ${seconds.toFixed(1)} s (${(sent / seconds).toFixed(0)}/s): ${[...counts].map(([what, n]) => `${n} ${what}`).join(", ")}; memory ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB`);
for (const problem of problems) console.log(`fault: ${problem}`);
server.removeAllListeners("exit");
const exited = new Promise<number | null>((resolve) => server.on("exit", resolve));
server.kill("SIGTERM");
const code = await exited;
if (code !== 0) console.log(`fault: the server ended with ${code}:\n${output.slice(-2_000)}`);
if (process.env["KEEP_LOG"]) writeFileSync(process.env["KEEP_LOG"], output);
rmSync(folder, { recursive: true });
process.exitCode = faults.size + problems.length + (code === 0 ? 0 : 1) > 0 ? 1 : 0;
