/** Electron's utility processes as children of Node, with the port and the streams that Electron gives them. */
import { fork, type ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";

/** Process ids of the trainers that live. */
export const trainers = new Set<number>();

export class UtilityProcess extends EventEmitter {
  readonly #child: ChildProcess;
  stdout: PassThrough | null = new PassThrough();
  stderr: PassThrough | null = new PassThrough();
  constructor(child: ChildProcess) {
    super();
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) {
      trainers.add(pid);
      child.on("exit", () => trainers.delete(pid));
    }
    child.on("spawn", () => this.emit("spawn"));
    child.on("message", (message) => this.emit("message", message));
    if (this.stdout) child.stdout?.pipe(this.stdout);
    if (this.stderr) child.stderr?.pipe(this.stderr);
    child.on("exit", (code, signal) => {
      this.emit("exit", code ?? (signal === "SIGKILL" ? 9 : 15));
      // So does Electron, whether they have ended or not.
      for (const stream of [this.stdout, this.stderr]) stream?.removeAllListeners();
      this.stdout = this.stderr = null;
    });
  }
  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }
  postMessage(message: unknown): void {
    if (this.#child.connected) this.#child.send(message as object);
  }
  kill(): boolean {
    return this.#child.kill("SIGTERM");
  }
}

export function forkUtility(entry: string, parameters: readonly string[]): UtilityProcess {
  const parentPort = fileURLToPath(new URL("./parentPort.ts", import.meta.url));
  return new UtilityProcess(
    fork(entry, parameters, { serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: ["--import", parentPort] }),
  );
}
