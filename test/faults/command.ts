/** The program's processes, as the harness starts and strikes them. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { Order } from "./host.ts";

/** A line of --json output. */
export interface Line {
  readonly type: string;
  readonly run?: string;
  readonly step?: number;
  readonly [key: string]: unknown;
}

export interface Command {
  readonly pid: number;
  /** Lines that were said so far. */
  readonly lines: Line[];
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  readonly isOver: () => boolean;
  /** Standard error so far. */
  readonly errors: () => string;
  /** Resolves once a line fits, or the process has ended. */
  readonly until: (fits: (line: Line) => boolean) => Promise<void>;
  /** Signals the host, its trainers, or all of them. */
  readonly signal: (whom: "host" | "trainers" | "all", name: NodeJS.Signals) => void;
}

const host = join(import.meta.dirname, "host.ts");
const program = join(import.meta.dirname, "../../out/main/headless.js");

/** Starts a host of short times. */
export const startHost = (store: string, order: Order, environment: Record<string, string> = {}): Command =>
  startCommand([host, store, JSON.stringify(order)], environment);

/** Starts the built command line. */
export const startProgram = (store: string, args: readonly string[], environment: Record<string, string> = {}): Command =>
  startCommand([program, ...args], { HYPERTOWER_HOME: store, ...environment });

/** @param args a script of Node's and its arguments @param stdout a file's descriptor for standard output, instead of `lines` */
export function startCommand(args: readonly string[], environment: Record<string, string>, stdout: number | "pipe" = "pipe"): Command {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, HYPERTOWER_ENGINE: "onnx-cpu", NODE_COMPILE_CACHE: join(import.meta.dirname, "../../test-results/compile-cache"), ...environment },
    stdio: ["ignore", stdout, "pipe"],
    detached: true,
  });
  const pid = child.pid!;
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  let errors = "";
  let over = false;
  const wake = () => [...waiting].forEach((check) => check());
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (errors += text));
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (text) => {
      if (!text.startsWith("{")) return;
      lines.push(JSON.parse(text) as Line);
      wake();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      over = true;
      wake();
      resolve(code);
    });
  });
  return {
    pid,
    lines,
    ended,
    isOver: () => over,
    errors: () => errors,
    until: (fits) =>
      new Promise((resolve) => {
        const check = () => {
          if (!over && !lines.some(fits)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    signal: (whom, name) => {
      const targets = whom === "host" ? [pid] : whom === "all" ? [-pid] : childrenOf(pid);
      for (const target of targets) {
        try {
          process.kill(target, name);
        } catch {
          // It has ended by itself.
        }
      }
    },
  };
}

/** The processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]);
      return parent === pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
