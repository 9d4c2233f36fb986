/** Builds the library that is loaded into the program's processes, and steers it. */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = join(import.meta.dirname, "shim.c");

/** Why the shim cannot be used here; null where it can. */
export function shimProblem(): string | null {
  if (process.platform !== "linux") return "this fault needs Linux: the program's system calls are replaced by a preloaded library";
  return compiler() ? null : "this fault needs a C compiler (cc): the preloaded library is built when the harness runs";
}

function compiler(): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "cc")));
}

let built: string | undefined;

/** Path of the library, built where it is missing or older than its source. @throws Error where `shimProblem` names one */
export function shimLibrary(): string {
  const problem = shimProblem();
  if (problem !== null) throw new Error(problem);
  if (built !== undefined) return built;
  const folder = join(tmpdir(), `hypertower-faults-${process.getuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const library = join(folder, "shim.so");
  if (!existsSync(library) || statSync(library).mtimeMs < statSync(source).mtimeMs) {
    const fresh = `${library}.${process.pid}`;
    // Fortified headers would rename some of the replaced functions.
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", fresh, source, "-ldl", "-pthread"], { stdio: "pipe" });
    renameSync(fresh, library);
  }
  return (built = library);
}

/** What the shim lets fail, by its bits in `enum failing`. */
export const failing = { full: 1, writeError: 2, syncError: 4, noInodes: 8, readOnly: 16 } as const;
export type Failing = keyof typeof failing;

const matchAt = 32;
const size = 256;

/** A file in memory that the program's processes share: `struct control` of shim.c. */
export class Control {
  readonly path: string;
  readonly #file: number;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "w+", 0o600);
    writeSync(this.#file, Buffer.alloc(size), 0, size, 0);
  }

  /**
   * Begins a failure of the files whose path contains `match`; all under the root by default.
   * @param bytesLeft with `full`: bytes that can still be written
   */
  fail(what: Failing, match = "", bytesLeft = 0): void {
    const name = Buffer.alloc(size - matchAt);
    name.write(match);
    writeSync(this.#file, name, 0, name.length, matchAt);
    this.#put(8, BigInt(bytesLeft));
    const bits = Buffer.alloc(4);
    bits.writeUInt32LE(failing[what]);
    writeSync(this.#file, bits, 0, 4, 0);
  }

  end(): void {
    writeSync(this.#file, Buffer.alloc(4), 0, 4, 0);
  }

  /** Seconds added to the time of day. */
  setClock(seconds: number): void {
    this.#put(16, BigInt(seconds));
  }

  /** How often something was made to fail. */
  failures(): number {
    const bytes = Buffer.alloc(8);
    readSync(this.#file, bytes, 0, 8, 24);
    return Number(bytes.readBigInt64LE());
  }

  close(): void {
    closeSync(this.#file);
  }

  #put(at: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    writeSync(this.#file, bytes, 0, 8, at);
  }
}

export interface ShimUse {
  /** Only files in this folder are looked at. */
  readonly root: string;
  readonly control?: Control;
  /** Where changes are recorded, and the file that is the program's standard output. */
  readonly log?: string;
  readonly said?: string;
}

/** Environment of a process that has the shim loaded. */
export function shimEnvironment({ root, control, log, said }: ShimUse): Record<string, string> {
  return {
    LD_PRELOAD: shimLibrary(),
    FAULTS_ROOT: root,
    // Node must make its system calls by the C library.
    UV_USE_IO_URING: "0",
    ...(control && { FAULTS_CONTROL: control.path }),
    ...(log !== undefined && { FAULTS_LOG: log }),
    ...(said !== undefined && { FAULTS_SAID: said }),
  };
}
