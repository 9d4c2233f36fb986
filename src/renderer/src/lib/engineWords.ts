/** Texts about engines. */
import { engineTitle, type EngineKind } from "@shared/engines.ts";

/** What a start waits for while engines are tried for it. */
export const workingInWords = ({ kind, doing }: { readonly kind: EngineKind; readonly doing: "looking" | "measuring" }): string =>
  `${doing === "measuring" ? "Measuring engines" : "Detecting engines"}: ${engineTitle(kind)}…`;
