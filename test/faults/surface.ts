/**
 * Malformed requests to the real server over its WebSocket, or to the built desktop app over IPC with Electron's stub:
 * `node test/faults/surface.ts [MESSAGES] [SEED] [socket|ipc]`. Counted as faults: a reply that "failed unexpectedly", no
 * reply, a foreign sender that is answered, an unhandled rejection, a process that ended, memory that grows, a file that
 * nobody asked for.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RandomJson } from "./randomJson.ts";
import { fuzzSurface, memoryOf, somethingToAskAbout } from "./surfaceFuzz.ts";
import { overIpc } from "./surfaceIpc.ts";
import { overSocket } from "./surfaceSocket.ts";
import { unexpectedFiles } from "./surfaceFiles.ts";

const messages = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
const channel = process.argv[4] === "ipc" ? "ipc" : "socket";
const folder = mkdtempSync(join(tmpdir(), "hypertower-surface-"));
for (const name of ["home", "store", "data"]) mkdirSync(join(folder, name));
// The app is started with this process's environment.
Object.assign(process.env, { HYPERTOWER_DATA: join(folder, "data"), HYPERTOWER_ENGINE: "onnx-cpu", HOME: join(folder, "home") });

const surface = channel === "ipc" ? await overIpc(join(folder, "store")) : await overSocket(folder);
const random = new RandomJson(seed, await somethingToAskAbout(surface));
const { sent, seconds, slowest, counts, faults } = await fuzzSurface(surface, random, messages);
const [early, late] = memoryOf(surface.memory);
console.log(`${channel}, seed ${seed}: ${sent} messages in ${seconds.toFixed(1)} s (${(sent / seconds).toFixed(0)}/s): ${[...counts].map(([what, n]) => `${n} ${what}`).join(", ")}; slowest reply ${slowest.toFixed(1)} s; memory ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB`);
const tenth = Math.ceil(surface.memory.length / 10);
console.log(`most memory in each tenth of the time: ${Array.from({ length: 10 }, (_, part) => (Math.max(0, ...surface.memory.slice(part * tenth, (part + 1) * tenth)) / 1e6).toFixed(0)).join(", ")} MB`);
const code = await surface.end();
const problems = [...faults, ...unexpectedFiles(folder), ...(code === 0 ? [] : [`it ended with ${code}:\n${surface.output().slice(-2_000)}`])];
for (const problem of problems) console.log(`fault: ${problem}`);
if (process.env["KEEP_LOG"]) writeFileSync(process.env["KEEP_LOG"], surface.output());
if (problems.length > 0) console.log(`in the store: ${readdirSync(join(folder, "store")).join(", ")}`);
rmSync(folder, { recursive: true });
process.exitCode = problems.length > 0 ? 1 : 0;
