/** The page of engines: what works, what was chosen, why the rest was not, in a wide and a narrow window. */
import { beforeEach, expect, it } from "vitest";
import { windowOfEachTest, type Window } from "./harness.ts";
import { everything } from "../../support/edition.ts";

const opened = windowOfEachTest();
let window: Window;
beforeEach(() => {
  window = opened();
});

it.runIf(everything)("lists engines, measures them and tries one again", async () => {
  const { page } = window;
  const at = (testId: string) => page.getByTestId(testId);
  await at("nav-engines").click();
  await expect.poll(() => at("engines-choice").innerText()).toContain("Automatic takes ONNX Runtime, CPU, the fastest of 2 measured");
  await expect.poll(() => at("engine-onnx-cpu").getAttribute("data-state")).toBe("here");
  expect(await at("engine-onnx-cpu").getByTestId("engine-step").innerText()).toBe("1.57 ms");
  expect(await at("engine-chosen").count()).toBe(1);
  expect(await at("engine-onnx-webgpu").getAttribute("data-state")).toBe("barred");
  expect(await at("engine-onnx-webgpu").getByTestId("engine-problem").innerText()).toMatch(/^Failed .+ ago, and is not chosen before it is tried again: it ended its process with SIGABRT$/);
  expect(await at("engine-onnx-cuda").getByTestId("engine-problem").innerText()).toContain("Linux on x64 processors only");
  expect(await at("engine-reference").getByTestId("engine-unmeasured").innerText()).toBe("Not measured: a few steps take longer than 30 s");
  // The chosen one first, what does not work last.
  expect(await page.locator("[data-testid^=engine-][data-state]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-testid")))).toEqual([
    "engine-onnx-cpu",
    "engine-tfjs-wasm",
    "engine-reference",
    "engine-onnx-webgpu",
    "engine-onnx-cuda",
  ]);

  await at("engine-onnx-webgpu").getByTestId("engine-retry").click();
  await expect.poll(() => at("engine-onnx-webgpu").getAttribute("data-state")).toBe("here");
  await at("calibrate-button").click();
  await expect.poll(() => at("engine-onnx-webgpu").getByTestId("engine-step").innerText()).toBe("0.9 ms");
  await expect.poll(() => at("engines-choice").innerText()).toContain("Automatic takes ONNX Runtime, WebGPU");

  await page.setViewportSize({ width: 420, height: 800 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
});
