/** Verifying a run on its page, and exporting one that is damaged. */
import { flushPromises } from "@vue/test-utils";
import { ElMessageBox } from "element-plus";
import { expect, it, vi } from "vitest";
import ExportMenu from "@/components/run/ExportMenu.vue";
import VerifyButton from "@/components/run/VerifyButton.vue";
import ExportButton from "@/components/report/ExportButton.vue";
import { click, emptyRouter, mountPart, services } from "./support.ts";
import { runOf } from "./samples.ts";

const damage = {
  part: "series",
  severity: "damage",
  run: "a",
  study: null,
  where: "loss, steps 256 to 511",
  problem: "they do not match their checksum",
  meaning: "One or more of these values are not what was logged.",
  advice: "Restore a backup.",
} as const;
const answer = (findings: readonly (typeof damage)[]) =>
  services.answer("runs.verify", () => ({ run: "a", name: "a", values: 1_234, protectedSince: 0, protectedFromStart: true, findings: [...findings] }));

it("says how many values match, or what is damaged and what to do", async () => {
  const wrapper = mountPart(VerifyButton, { props: { run: runOf("a", { steps: 10 }) } });
  answer([]);
  await click(wrapper, "verify-button");
  await flushPromises();
  expect(document.body.querySelector(".el-notification")?.textContent).toContain("1,234 values match their checksums");
  answer([damage]);
  await click(wrapper, "verify-button");
  await flushPromises();
  const shown = document.body.querySelector("[data-testid=verify-findings]")?.textContent ?? "";
  expect(shown).toContain("loss, steps 256 to 511: they do not match their checksum");
  expect(shown).toContain("Restore a backup.");
});

it("exports the weights of the best evaluation, and the model, as files of the host", async () => {
  const wrapper = mountPart(ExportMenu, { props: { run: runOf("a", { status: "finished", steps: 10 }) }, router: emptyRouter() });
  services.refuse("reports.file", "there are no weights");
  for (const file of ["weights-best.safetensors", "weights-best.npz", "model-best.onnx"]) wrapper.findComponent(ExportButton).vm.$emit("command", file);
  await flushPromises();
  expect(services.inputs("reports.file")).toMatchObject(["weights-best.safetensors", "weights-best.npz", "model-best.onnx"].map((file) => ({ of: { run: "a" }, file })));
});

it("exports a damaged run only when a person chooses to", async () => {
  const wrapper = mountPart(ExportMenu, { props: { run: runOf("a", { status: "finished", steps: 10 }) }, router: emptyRouter() });
  answer([damage]);
  services.answer("runs.export", () => ({ filename: "a.csv", mediaType: "text/csv", text: "step\n" }));
  const asked = vi.spyOn(ElMessageBox, "confirm").mockRejectedValueOnce("cancel");
  wrapper.findComponent(ExportButton).vm.$emit("command", "csv");
  await flushPromises();
  expect(asked.mock.calls[0]?.[0]).toContain("loss, steps 256 to 511");
  expect(services.inputs("runs.export")).toEqual([]);
  asked.mockResolvedValueOnce("confirm" as never);
  wrapper.findComponent(ExportButton).vm.$emit("command", "csv");
  await flushPromises();
  expect(services.inputs("runs.export")).toEqual([{ run: "a", format: "csv", damagedAnyway: true }]);
});
