/** Runs programs to their end, and scripts in a Node: this one, or in the packaged desktop app, which is none, one of its own processes. */
import { execFile } from "node:child_process";
import { messageOf } from "../../shared/errors.ts";

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a script file. @returns what it wrote. @throws Error with the end of its output */
export type RunScript = (file: string, args: readonly string[], options: RunOptions) => Promise<string>;

/** The error of a program that ended with its output so far. */
export const failureOf = (output: string, otherwise: string, cause?: unknown): Error => new Error(output.trim().split("\n").slice(-15).join("\n") || otherwise, { cause });

/** Runs a program. @returns what it wrote. @throws Error with the end of its output */
export function runProgram(command: string, args: readonly string[], { signal, cwd, env }: RunOptions): Promise<string> {
  return new Promise((done, failed) => {
    execFile(command, args, { signal, cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      failed(signal.aborted ? error : failureOf(`${stdout}${stderr}`, messageOf(error), error));
    });
  });
}

export const runInThisNode: RunScript = (file, args, options) => runProgram(process.execPath, [file, ...args], options);
