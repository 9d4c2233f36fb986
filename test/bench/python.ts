/** Python peers: a script that answers one JSON line for each request line. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Answer = Readonly<Record<string, unknown>>;

export interface PythonPeer {
  /** How fast its BLAS is, in words. */
  readonly blas: string;
  /** What the script said when it was ready. */
  readonly hello: Answer;
  /** @throws Error when the peer has ended; it says why on standard error */
  ask(request: object): Promise<Answer>;
  close(): void;
}

/**
 * A Python that can run `imports`: `HYPERTOWER_PYTHON`, else the usual names.
 * @throws Error with what is missing and how to install it
 */
function findPython(imports: string, missing: string): string {
  const candidates = [process.env["HYPERTOWER_PYTHON"] ?? "", "python3", "/usr/bin/python3", "python"].filter((name) => name !== "");
  for (const python of candidates) {
    if (spawnSync(python, ["-c", imports], { stdio: "ignore" }).status === 0) return python;
  }
  throw new Error(`${missing} Set HYPERTOWER_PYTHON to a Python that has it (tried: ${candidates.join(", ")}).`);
}

export interface PythonPeerOptions {
  /** File in this folder. */
  readonly script: string;
  readonly imports: string;
  /** Said when no Python has the imports. */
  readonly missing: string;
  readonly cores: Cores;
}

/** 1 keeps PyTorch and its BLAS to one thread; "any" leaves both their own choice. */
export type Cores = 1 | "any";

// torch.set_num_threads() does not reach an OpenBLAS with threads of its own: only the environment does.
const oneThread = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };

// A product of the network's size on one thread, in GFLOP/s.
const product = `
import time, torch
torch.set_num_threads(1)
a, b = torch.rand(128, 784), torch.rand(784, 256)
times = []
for _ in range(60):
    start = time.perf_counter()
    a @ b
    times.append(time.perf_counter() - start)
print(2 * 128 * 784 * 256 / min(times) / 1e9)
`;

interface Blas {
  readonly environment: Readonly<Record<string, string>>;
  readonly words: string;
}

/**
 * The kernels with which OpenBLAS is fastest: an older one does not know a newer processor, and
 * is then several times slower than it could be. Kernels that the processor lacks end their try.
 */
function fastestBlas(python: string): Blas {
  const tries = ["", "SkylakeX", "Zen", "Haswell"].flatMap((type) => {
    const environment: Blas["environment"] = type === "" ? {} : { OPENBLAS_CORETYPE: type };
    const { status, stdout } = spawnSync(python, ["-c", product], { env: { ...process.env, ...oneThread, ...environment }, encoding: "utf8" });
    return status === 0 ? [{ type, environment, speed: Number(stdout) }] : [];
  });
  // The library's own choice unless another is clearly faster.
  const best = tries.reduce((a, b) => (b.speed > 1.1 * a.speed ? b : a));
  return { environment: best.environment, words: `BLAS ${best.speed.toFixed(0)} GFLOP/s${best.type === "" ? "" : ` with kernels for ${best.type}`}` };
}

const blasOf = new Map<string, Blas>();

export async function startPython({ script, imports, missing, cores }: PythonPeerOptions): Promise<PythonPeer> {
  const python = findPython(imports, missing);
  const blas = blasOf.get(python) ?? fastestBlas(python);
  blasOf.set(python, blas);
  const child = spawn(python, [join(import.meta.dirname, script)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...blas.environment, ...(cores === 1 ? oneThread : {}) },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Answer> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${script} ended early`);
    return JSON.parse(line.value) as Answer;
  };
  return {
    blas: blas.words,
    hello: await answer(),
    ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    },
    close: () => child.stdin.end(),
  };
}
