/** Which engines a program of one's own can name. */
import { engineKinds } from "../shared/engines.ts";

/** @throws RangeError unless it is an engine's name: what is fastest is measured by the workbench and the command line only */
export function requireEngine(where: string, engine: unknown): void {
  if (!engineKinds.some((kind) => kind === engine)) throw new RangeError(`${where}: engine is ${String(engine)}; allowed: ${engineKinds.join(", ")}`);
}
