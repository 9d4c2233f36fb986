import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import EnginesPage from "@/pages/EnginesPage.vue";
import { useApp } from "@/stores/app.ts";
import type { EngineReport } from "@shared/engines.ts";
import { presets } from "@shared/presets.ts";
import { byTestid, choose, click, deferred, hasTestid, mountPart, services } from "./support.ts";
import { experimentOf } from "./samples.ts";

type State = EngineReport["engines"][number];
const description = { device: "a processor", driver: null, memory: null, libraries: { "onnxruntime-node": "1.20.0" } };
const engine = (kind: State["kind"], state: Partial<State> = {}): State => ({ kind, problem: null, barred: null, description, step: null, unmeasured: null, ...state });
const reportOf = (engines: State[], choice: EngineReport["choice"] = null): EngineReport => ({ engines, choice, measuredAt: choice ? Date.now() : null }) as EngineReport;

async function page(report: EngineReport) {
  services.answer("engines.list", () => report);
  const wrapper = mountPart(EnginesPage);
  await flushPromises();
  return { wrapper, row: (kind: string) => byTestid(wrapper, `engine-${kind}`), kinds: () => wrapper.findAll("li.list-row").map((row) => row.attributes("data-testid")!.slice("engine-".length)) };
}
const message = () => document.body.querySelector(".el-notification")?.textContent ?? null;

it("lists the chosen engine first, then by speed, then what works, then the rest", async () => {
  const { kinds, row, wrapper } = await page(
    reportOf(
      [
        engine("onnx-webgpu", { problem: "there is no graphics card", description: null }),
        engine("reference", { step: 90 }),
        engine("tfjs-cpu", { unmeasured: "it takes too long" }),
        engine("tfjs-wasm", { step: 4 }),
        engine("onnx-cpu", { step: 5 }),
      ],
      { kind: "onnx-cpu", why: "the fastest that repeats bit for bit" },
    ),
  );
  expect(kinds()).toEqual(["onnx-cpu", "tfjs-wasm", "reference", "tfjs-cpu", "onnx-webgpu"]);
  expect(hasTestid(row("onnx-cpu"), "engine-chosen")).toBe(true);
  expect(byTestid(row("reference"), "engine-step").text()).toBe("90 ms");
  expect(byTestid(row("tfjs-cpu"), "engine-unmeasured").text()).toContain("it takes too long");
  expect(byTestid(row("onnx-webgpu"), "engine-problem").text()).toBe("There is no graphics card.");
  expect(byTestid(wrapper, "engines-choice").text()).toContain("the fastest that repeats bit for bit");
});

it("says that nothing was measured yet, and measures on request", async () => {
  const { wrapper, row } = await page(reportOf([engine("onnx-cpu")]));
  expect(byTestid(wrapper, "engines-choice").text()).toMatch(/Not measured/);
  const measured = deferred<EngineReport>();
  services.answer("engines.calibrate", () => measured.promise);
  await click(wrapper, "calibrate-button");
  expect(byTestid(wrapper, "calibrate-button").attributes("disabled")).toBeDefined();
  services.emit("engines.working", { kind: "onnx-cpu", doing: "measuring" });
  await flushPromises();
  expect(row("onnx-cpu").attributes("data-state")).toBe("working");
  services.emit("engines.working", { kind: null } as never);
  measured.resolve(reportOf([engine("onnx-cpu", { step: 2.5 })], { kind: "onnx-cpu", why: "the only one" }));
  await flushPromises();
  expect(byTestid(row("onnx-cpu"), "engine-step").text()).toBe("2.5 ms");
  expect(byTestid(wrapper, "calibrate-button").attributes("disabled")).toBeUndefined();
});

it("says why an engine failed, and tries it again on request", async () => {
  const { row } = await page(reportOf([engine("onnx-webgpu", { barred: { at: Date.now(), reason: "the device was lost" } }), engine("onnx-cpu")]));
  expect(row("onnx-webgpu").attributes("data-state")).toBe("barred");
  expect(byTestid(row("onnx-webgpu"), "engine-problem").text()).toContain("the device was lost");
  expect(hasTestid(row("onnx-cpu"), "engine-retry")).toBe(false);
  services.answer("engines.retry", () => reportOf([engine("onnx-webgpu"), engine("onnx-cpu")]));
  await click(row("onnx-webgpu"), "engine-retry");
  expect(services.inputs("engines.retry")).toMatchObject([{ kind: "onnx-webgpu" }]);
  expect(row("onnx-webgpu").attributes("data-state")).toBe("here");
});

it("shows a failure to measure, and can be asked again", async () => {
  const { wrapper } = await page(reportOf([engine("onnx-cpu")]));
  services.refuse("engines.calibrate", "a run is training");
  await click(wrapper, "calibrate-button");
  expect(message()).toContain("a run is training");
  expect(byTestid(wrapper, "calibrate-button").attributes("disabled")).toBeUndefined();
});

it("shows the program chosen last, in whatever order the answers come", async () => {
  const [first, second] = presets;
  useApp().presets = [first!, second!].map((preset) => ({ ...preset, experiment: experimentOf(preset.experiment) }));
  const { wrapper, row } = await page(reportOf([engine("onnx-cpu")]));
  const slow = deferred<EngineReport>();
  services.answer("engines.list", () => slow.promise);
  await choose(wrapper, "engines-program", first!.title);
  services.answer("engines.list", () => reportOf([engine("onnx-cpu", { step: 7 })]));
  await choose(wrapper, "engines-program", second!.title);
  slow.resolve(reportOf([engine("onnx-cpu", { step: 1000 })]));
  await flushPromises();
  expect(byTestid(row("onnx-cpu"), "engine-step").text()).toBe("7 ms");
});
