/** Starts the PyTorch peer and asks it for timings. */
import { startPython, type Cores } from "./python.ts";

export type PeerWork = "sgd" | "adam" | "products";

export interface Peer {
  readonly version: string;
  /** Milliseconds per step. */
  time(what: PeerWork, steps: number, threads: number): Promise<number>;
  close(): void;
}

export async function startPeer(cores: Cores): Promise<Peer> {
  const python = await startPython({
    script: "peer.py",
    imports: "import torch",
    missing: "PyTorch was not found. Install it (Debian: apt-get install python3-torch libopenblas0-pthread; elsewhere: pip install torch).",
    cores,
  });
  return {
    version: String(python.hello["torch"]),
    time: async (what, steps, threads) => Number((await python.ask({ what, steps, threads }))["ms"]),
    close: () => python.close(),
  };
}
