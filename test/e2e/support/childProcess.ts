/** A workbench's process: its output kept, its end awaited. */
import type { ChildProcess } from "node:child_process";

export class Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** Whether it has ended. */
  over = false;
  #output = "";

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.exited = new Promise((resolve) =>
      child.once("close", (code) => {
        this.over = true;
        resolve(code);
      }),
    );
  }

  output(): string {
    return this.#output;
  }

  /** First match in the output; throws with the output when the process ends without one. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match) return match;
      if (this.over) throw new Error(`the process ended without writing ${String(pattern)}; it wrote:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends the process without a warning. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Asks the process to end; kills it when it has not within `patience` milliseconds, and says so. */
  async end(patience = 60_000): Promise<number | null> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => {
      this.#output += `\n[killed: it did not end within ${patience} ms]\n`;
      this.child.kill("SIGKILL");
    }, patience);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}
