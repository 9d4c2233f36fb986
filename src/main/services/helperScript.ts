/** The Python script that exports a PyTorch module so that it can be imported. */
import { readFileSync } from "node:fs";
import { resourcePath } from "../../core/resources/index.ts";

/** @throws Error where the installation lacks it */
export function helperScript(): string {
  return readFileSync(resourcePath("export_model.py"), "utf8");
}
