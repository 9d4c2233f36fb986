/** Malformed requests to a running workbench, made from each request's own schema and bent. */
import { z } from "zod";
import { contract, requestNames, type RequestName } from "../../src/shared/contract.ts";
import type { RandomJson } from "./randomJson.ts";

export interface SurfaceReply {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly message: string };
}

/** A workbench behind one of its channels. */
export interface Surface {
  ask(name: string, input: unknown): Promise<SurfaceReply>;
  /** Why it can be asked nothing any more; null while it can. */
  closed(): string | null;
  /** What it wrote so far. */
  output(): string;
  /** Bytes of memory that its process has used, in order. */
  readonly memory: readonly number[];
  /** Rejects when its process ends. */
  readonly ended: Promise<never>;
  /** Something malformed that is no request: a frame, a sender, a channel. Resolves to what is wrong with the answer; null for nothing. */
  readonly raw?: (random: RandomJson) => Promise<string | null>;
  /** A value that JSON cannot hold; only where the channel carries such. */
  readonly exotic?: (random: RandomJson) => unknown;
  /** Asks it to end. Returns its exit code. */
  end(): Promise<number | null>;
}

/** These train, measure or fetch when they are let: their inputs are never what they take. */
const costly = new Set<string>(["runs.start", "runs.resume", "studies.start", "studies.resume", "studies.retry", "studies.extend", "studies.estimate", "engines.calibrate", "engines.retry", "extras.install", "extras.remove", "datasets.download", "engines.list", "predictions.report", "predictions.samples", "predictions.text", "predictions.reading", "experiments.measure", "fleets.list", "fleets.saveProfile", "logs.describe"] satisfies RequestName[]);
export const isCostly = (name: string) => costly.has(name) || name.startsWith("storage.");

const schemas = Object.fromEntries(requestNames.map((name) => [name, z.toJSONSchema(contract.requests[name].input, { io: "input", unrepresentable: "any" })]));

/** Starts two runs and a study, and waits for their end: something to ask about. Returns their ids. */
export async function somethingToAskAbout({ ask }: Surface): Promise<string[]> {
  const small = { dataset: { trainExamples: 320, testExamples: 100 }, model: { hidden: [4] }, batchSize: 64, budget: { epochs: 1 } };
  const known: string[] = [];
  for (const name of ["one", "two"]) known.push(((await ask("runs.start", { experiment: { ...small, name } })).value as { id: string }).id);
  const study = await ask("studies.start", { study: { name: "s", base: small, axes: [{ values: { kind: "list", values: [0.1] } }], heights: { values: [0] }, seeds: [0] } });
  known.push((study.value as { id: string }).id);
  while (((await ask("runs.list", {})).value as { status: string }[]).some(({ status }) => status !== "finished")) await new Promise((resolve) => setTimeout(resolve, 200));
  return known;
}

export interface FuzzResult {
  readonly sent: number;
  readonly seconds: number;
  /** Seconds that the slowest reply took. */
  readonly slowest: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What went wrong, each kind once, with an input that shows it. */
  readonly faults: readonly string[];
}

/** Sends malformed messages, 32 at a time. The same seed sends the same. */
export async function fuzzSurface(surface: Surface, random: RandomJson, messages: number): Promise<FuzzResult> {
  const faults = new Map<string, string>();
  const counts = new Map<string, number>();
  const begun = performance.now();
  let sent = 0;
  let slowest = 0;
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const fault = (name: string, said: string, input: unknown) => {
    count("fault");
    const line = `${name}: ${said.replaceAll(/[0-9]+/g, "N").slice(0, 200)}`;
    if (!faults.has(line)) faults.set(line, `${line}\n  input ${shown(input)}`);
  };

  async function worker(): Promise<void> {
    while (sent < messages && surface.closed() === null) {
      sent++;
      if (surface.raw && random.below(10) === 0) {
        const problem = await inTime(surface.raw(random), surface.ended);
        if (problem === null) count("raw refused");
        else fault("raw", problem, null);
        continue;
      }
      const name = random.below(50) === 0 ? String(random.any(0)) : random.of(requestNames);
      const input = inputFor(surface, random, name);
      if (isCostly(name) && contract.requests[name as RequestName].input.safeParse(structuredClone(input)).success) continue;
      const asked = performance.now();
      const reply = await inTime(surface.ask(name, input), surface.ended);
      slowest = Math.max(slowest, (performance.now() - asked) / 1000);
      if (typeof reply === "string") fault(name, reply, input);
      else if (!reply.ok && reply.error!.message.includes("failed unexpectedly")) fault(name, reply.error!.message, input);
      else count(reply.ok ? "ok" : "refused");
    }
  }
  await Promise.all(Array.from({ length: 32 }, worker));
  return { sent, seconds: (performance.now() - begun) / 1000, slowest, counts, faults: [...faults.values(), ...problemsOf(surface)] };
}

function inputFor(surface: Surface, random: RandomJson, name: string): unknown {
  if (surface.exotic && random.below(10) === 0) return surface.exotic(random);
  const schema = schemas[name];
  return schema === undefined || random.below(4) === 0 ? random.any() : random.after(schema, isCostly(name) ? 3 : 12);
}

/** Milliseconds after which a reply counts as lost. Reports and predictions wait for a trainer, imports for a process, each behind others. */
const patience = 300_000;

async function inTime<T>(answer: Promise<T>, ended: Promise<never>): Promise<T | "no reply in five minutes"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"no reply in five minutes">((resolve) => (timer = setTimeout(() => resolve("no reply in five minutes"), patience)));
  try {
    return await Promise.race([answer, late, ended]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with the process as a whole. */
function problemsOf({ closed, output, memory }: Surface): string[] {
  const [early, late] = memoryOf(memory);
  const why = closed();
  return [
    ...(why === null ? [] : [why]),
    ...(output().match(/UNHANDLED.*|Hypertower ends because of an error.*/g) ?? []),
    ...(late > 2 * early + 200e6 ? [`memory grew from ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB`] : []),
  ];
}

/** The most in the first quarter, and in the second half. */
export function memoryOf(memory: readonly number[]): [early: number, late: number] {
  return [Math.max(...memory.slice(0, Math.ceil(memory.length / 4))), Math.max(...memory.slice(Math.floor(memory.length / 2)))];
}

function shown(input: unknown): string {
  try {
    return JSON.stringify(input)?.slice(0, 300) ?? String(input);
  } catch (error) {
    return String(error).split("\n")[0]!;
  }
}
