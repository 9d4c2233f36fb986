/** Starts the PyTorch peer and asks it for timings. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type PeerWork = "sgd" | "adam" | "products";

export interface Peer {
  readonly version: string;
  /** Milliseconds per step. */
  time(what: PeerWork, steps: number, threads: number): Promise<number>;
  close(): void;
}

/** A Python that can import torch: `HYPERTOWER_PYTHON`, else the usual names. */
function findPython(): string {
  const candidates = [process.env["HYPERTOWER_PYTHON"], "python3", "/usr/bin/python3", "python"].filter((name) => name !== undefined);
  for (const python of candidates) {
    if (spawnSync(python, ["-c", "import torch"], { stdio: "ignore" }).status === 0) return python;
  }
  throw new Error(
    "PyTorch was not found. Install it (Debian: apt-get install python3-torch libopenblas0-pthread; elsewhere: pip install torch)," +
      " or set HYPERTOWER_PYTHON to a Python that has it.",
  );
}

/** @param cores 1 keeps PyTorch and its BLAS to one thread; "any" leaves both their own choice */
export async function startPeer(cores: 1 | "any"): Promise<Peer> {
  // torch.set_num_threads() does not reach an OpenBLAS with threads of its own: only the environment does.
  const limits = cores === 1 ? { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" } : {};
  const child = spawn(findPython(), [join(import.meta.dirname, "peer.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...limits },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const line = await lines.next();
    if (line.done) throw new Error("the PyTorch peer ended early");
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  const hello = await answer();
  return {
    version: String(hello["torch"]),
    async time(what, steps, threads) {
      child.stdin.write(`${JSON.stringify({ what, steps, threads })}\n`);
      return Number((await answer())["ms"]);
    },
    close: () => child.stdin.end(),
  };
}
