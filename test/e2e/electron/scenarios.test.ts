import { describe, it } from "vitest";
import { defineScenarios, ofTheHost, ofTheWindow } from "../scenarios/index.ts";
import { findElectron, startElectronApp } from "./harness.ts";

const found = findElectron();

if ("path" in found) {
  describe("in Electron", () => defineScenarios({ ...ofTheHost, ...ofTheWindow }, () => startElectronApp(found.path)));
} else {
  console.log(`The scenarios in Electron itself are skipped: ${found.problem}.`);
  it.skip(`in Electron: ${found.problem}`);
}
