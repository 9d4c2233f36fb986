/** The authors' library training Adam under SGD on a model of the benchmarks, in a Python process of its own. */
import { startPython } from "./python.ts";

export interface TowerPeer {
  /** The card's name; undefined where PyTorch finds none. */
  readonly card: string | undefined;
  readonly torch: string;
  readonly blas: string;
  /** Milliseconds per step, measured over so many. */
  time(steps: number): Promise<number>;
  close(): void;
}

/** @param device `cpu` or `cuda`; the card where PyTorch finds one, if left out */
export async function startTowerPeer(model: string, device?: string): Promise<TowerPeer> {
  const python = await startPython({
    script: "models_peer.py",
    imports: "import torch; from gradient_descent_the_ultimate_optimizer import gdtuo",
    missing: "PyTorch and the authors' library were not found (pip install torch gradient-descent-the-ultimate-optimizer).",
    cores: 1,
  });
  const card = python.hello["cuda"] as string | undefined;
  await python.ask({ load: model, optimizer: "tower", device: device ?? (card === undefined ? "cpu" : "cuda"), steps: 1 });
  return {
    card,
    torch: String(python.hello["torch"]),
    blas: python.blas,
    time: async (steps) => Number((await python.ask({ steps }))["ms"]),
    close: () => python.close(),
  };
}
