/** Starts a fuzzing process for one parser and watches it: crashes, hangs and memory are faults, and it starts again behind the input. */
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Report } from "./child.ts";
import type { FuzzedParser } from "./parser.ts";
import { corpusOf, inputOf } from "./run.ts";

/** Seconds that one input may take; resident bytes that the process may have. */
const [maxSeconds, maxMemory] = [20, 1.5 * 2 ** 30];
/** Until the first input: a busy machine takes long to start a process. */
const startSeconds = 120;

export interface Result {
  readonly parser: string;
  tries: number;
  accepted: number;
  refused: number;
  seconds: number;
  peakMemory: number;
  /** Each kind once, with the first input that showed it, and how often it came. */
  readonly faults: Map<string, { readonly index: number; readonly what: string; count: number; readonly file: string | null }>;
}

const residentBytes = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
  } catch {
    return 0; // it has ended, or this system has no /proc
  }
};

/** @param keep folder for inputs that showed a fault */
export async function fuzz(parser: FuzzedParser, seconds: number, seed: number, keep: string | null): Promise<Result> {
  const result: Result = { parser: parser.name, tries: 0, accepted: 0, refused: 0, seconds: 0, peakMemory: 0, faults: new Map() };
  const corpus = corpusOf(parser);
  const begun = performance.now();
  const note = (index: number, what: string) => {
    const kind = what.replaceAll(/\d+/g, "N").slice(0, 300);
    const known = result.faults.get(kind);
    if (known) return void known.count++;
    let file: string | null = null;
    if (keep !== null) {
      mkdirSync(keep, { recursive: true });
      const input = inputOf(parser, corpus, seed, index);
      writeFileSync((file = join(keep, `${parser.name}-${seed}-${index}${extname(input.name)}`)), input.bytes);
    }
    result.faults.set(kind, { index, what, count: 1, file });
  };
  for (let first = 0; ; ) {
    const left = seconds - (performance.now() - begun) / 1000;
    if (first > 0 && left <= 0) break;
    const stoppedAt = await once(parser, Math.max(left, 0), seed, first, result, note);
    if (stoppedAt === null) break;
    first = stoppedAt + 1;
  }
  result.seconds = (performance.now() - begun) / 1000;
  return result;
}

/** One process. Returns the input at which it died, or null where it came to its end. */
function once(parser: FuzzedParser, seconds: number, seed: number, first: number, result: Result, note: (index: number, what: string) => void): Promise<number | null> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hypertower-fuzz-")));
  const child = fork(join(import.meta.dirname, "child.ts"), [parser.name, String(seed), String(first), String(seconds), folder], {
    env: { ...process.env, HYPERTOWER_HOME: join(folder, "home"), HYPERTOWER_DATA: join(folder, "work") },
    execArgv: ["--max-old-space-size=512", "--permission", "--allow-fs-read=*", `--allow-fs-write=${folder}`, "--allow-addons", "--allow-worker", "--disable-warning=SecurityWarning"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let output = "";
  child.stderr!.on("data", (text: Buffer) => (output = (output + text.toString()).slice(-4_000)));
  child.on("message", ({ tries, accepted, refused, faults }: Report) => {
    result.tries += tries;
    result.accepted += accepted;
    result.refused += refused;
    for (const { index, what } of faults) note(index, what);
  });
  const current = () => {
    const bytes = readFileSync(join(folder, "at"));
    return bytes.length === 8 ? Number(bytes.readBigUInt64LE()) : first;
  };
  let [seen, since, killed] = [-1, performance.now(), ""];
  const timer = setInterval(() => {
    const memory = residentBytes(child.pid!);
    result.peakMemory = Math.max(result.peakMemory, memory);
    if (memory > maxMemory) killed = `took ${(memory / 2 ** 20).toFixed(0)} MiB of memory`;
    let at = -1;
    try {
      at = current();
    } catch {
      // Not yet there.
    }
    if (at !== seen) [seen, since] = [at, performance.now()];
    else if (performance.now() - since > (at === -1 ? startSeconds : maxSeconds) * 1000) killed = at === -1 ? `was not ready in ${startSeconds} s` : `took more than ${maxSeconds} s`;
    if (killed !== "") child.kill("SIGKILL");
  }, 100);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearInterval(timer);
      let stoppedAt: number | null = null;
      try {
        if (code !== 0) {
          stoppedAt = current();
          note(stoppedAt, killed || `ended its process with ${signal ?? code}:\n${output.trim().split("\n").slice(-8).join("\n")}`);
        }
        resolve(stoppedAt);
      } catch (error) {
        reject(new Error(`the fuzzing process of ${parser.name} did not start: ${output}`, { cause: error }));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}
