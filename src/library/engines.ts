/** Validates engine names. */
import { engineKinds } from "../shared/engines.ts";

/**
 * @throws RangeError unless it names an engine; only the workbench and the command line choose one
 * by measuring
 */
export function requireEngine(where: string, engine: unknown): void {
  if (!engineKinds.some((kind) => kind === engine)) throw new RangeError(`${where}: engine is ${String(engine)}; allowed: ${engineKinds.join(", ")}`);
}
