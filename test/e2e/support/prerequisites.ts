/** Vitest's global set-up: fails once, and clearly, instead of in every test. */
import { existsSync } from "node:fs";
import { builtFiles } from "./paths.ts";
import { chromiumPath } from "./chromium.ts";

export default function checkPrerequisites(): void {
  const missing = builtFiles.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`the end-to-end tests run the built workbench; run \`npm run build\` first (missing: ${missing.join(", ")})`);
  chromiumPath();
}
