/** One model of ours in a process of its own, for timings. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Timing {
  /** Per step: on the clock, and of the processor, which a busy machine changes less. */
  readonly ms: number;
  readonly cpu: number;
  /** MiB. */
  readonly peak: number;
}

export interface Worker {
  readonly hello: Readonly<Record<string, unknown>>;
  time(steps: number): Promise<Timing>;
  close(): void;
}

/** @param name a case of modelCases.ts */
export async function startOurs(name: string, tower: unknown): Promise<Worker> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "modelsOurs.ts"), name, JSON.stringify(tower)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`the process of ${name} ended early`);
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  return {
    hello: await answer(),
    async time(steps) {
      child.stdin.write(`${JSON.stringify({ steps })}\n`);
      return (await answer()) as unknown as Timing;
    },
    close: () => child.stdin.end(),
  };
}
