/** Texts about engines. */
import { engineTitle, type EngineKind } from "@shared/engines.ts";

/** Status text while engines are probed or measured before a start. */
export const workingInWords = ({ kind, doing }: { readonly kind: EngineKind; readonly doing: "probing" | "measuring" }): string =>
  `${doing === "measuring" ? "Measuring engines" : "Detecting engines"}: ${engineTitle(kind)}…`;
