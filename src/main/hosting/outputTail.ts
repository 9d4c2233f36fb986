/** Keeps the last lines of a process's output, to explain its end. */
const lines = 20;
const characters = 4_000;

export class OutputTail {
  readonly #decoder = new TextDecoder();
  #kept = "";

  add(chunk: Uint8Array): void {
    this.#kept = (this.#kept + this.#decoder.decode(chunk, { stream: true })).slice(-characters);
  }

  text(): string {
    return this.#kept.trimEnd().split("\n").slice(-lines).join("\n").trim();
  }
}
