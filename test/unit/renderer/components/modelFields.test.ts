/** Forms accept what the schemas accept: neither more nor less. */
import { describe, expect, it } from "vitest";
import { mount } from "@vue/test-utils";
import SpecFields from "@/components/experiment/model/SpecFields.vue";
import { experimentLimits, studyLimits, workerLimits } from "@/lib/fieldLimits.ts";
import { newLayer, newModel } from "@/lib/modelDraft.ts";
import { layerFields, modelFields, type FieldSpec } from "@/lib/modelFields.ts";
import { ownLayer, ownLayerKinds, type OwnLayerKind } from "@shared/models/layers.ts";
import { model, modelKinds, type ModelKind } from "@shared/models/schema.ts";
import type { Domain } from "@shared/optimizers.ts";

/** Values at the ends of a range, and just outside of it. */
function ends({ min, max, minExclusive, maxExclusive }: Domain, whole: boolean): { allowed: number[]; refused: number[] } {
  const near = whole ? 1 : 1e-9;
  return {
    allowed: [minExclusive ? min + near : min, ...(Number.isFinite(max) ? [maxExclusive ? max - near : max] : [])],
    refused: [minExclusive ? min : min - near, ...(Number.isFinite(max) ? [maxExclusive ? max : max + near] : []), ...(whole ? [min + 0.5] : [])],
  };
}

/** Whether a value is accepted for a field, the others at their defaults. */
const layerAccepts = (kind: OwnLayerKind) => (name: string, value: unknown) => {
  const { id: _id, ...layer } = newLayer(kind);
  // What a schema forbids of two fields together is not a field's range.
  return ownLayer.safeParse({ ...layer, ...("layers" in layer && kind !== "residual" ? { layers: 2 } : {}), [name]: value }).success;
};
const modelAccepts = (kind: ModelKind) => (name: string, value: unknown) => model.safeParse({ ...newModel(kind), [name]: value }).success;

const cases: [string, readonly FieldSpec[], (name: string, value: unknown) => boolean][] = [
  ...modelKinds.map((kind): (typeof cases)[number] => [kind, modelFields[kind], modelAccepts(kind)]),
  ...ownLayerKinds.map((kind): (typeof cases)[number] => [kind, layerFields[kind], layerAccepts(kind)]),
];

describe.each(cases)("fields of %s", (_kind, fields, accepts) => {
  it("accept what the schema accepts, at the ends of every range", () => {
    for (const field of fields) {
      if (field.type === "number") {
        const { allowed, refused } = ends(field.domain, field.step === "whole");
        expect([field.name, ...allowed.map((value) => accepts(field.name, value))]).toEqual([field.name, ...allowed.map(() => true)]);
        expect([field.name, ...refused.map((value) => accepts(field.name, value))]).toEqual([field.name, ...refused.map(() => false)]);
      } else if (field.type === "sizes") {
        const { allowed, refused } = ends(field.domain, true);
        const each = (value: number, parts = field.parts) => Array.from({ length: parts }, () => value);
        expect([field.name, ...allowed.flatMap((value) => [value, each(value)]).map((value) => accepts(field.name, value))]).toEqual([field.name, ...allowed.flatMap(() => [true, true])]);
        const others = [...refused, ...refused.map((value) => each(value)), each(field.domain.max, field.parts - 1), each(field.domain.max, field.parts + 1), "none of these"];
        expect([field.name, ...others.map((value) => accepts(field.name, value))]).toEqual([field.name, ...others.map(() => false)]);
      } else if (field.type === "choice") {
        expect(field.choices.every(({ value }) => accepts(field.name, value))).toBe(true);
        expect(accepts(field.name, "none of these")).toBe(false);
      } else if (field.type === "list") {
        const list = (length: number, value = field.limits.max) => accepts(field.name, Array.from({ length }, () => value));
        expect([list(field.max), list(field.max + 1), list(1, field.limits.min), list(1, field.limits.min - 1), list(1, field.limits.max + 1)]).toEqual([true, false, true, false, false]);
      }
    }
  });
});

it("has a field for every setting of a model and a layer, with words", () => {
  for (const kind of modelKinds.filter((kind) => kind !== "sequential")) expect(modelFields[kind].map(({ name }) => name).sort()).toEqual(Object.keys(newModel(kind)).filter((name) => name !== "kind").sort());
  for (const kind of ownLayerKinds.filter((kind) => kind !== "residual")) expect(layerFields[kind].map(({ name }) => name).sort()).toEqual(Object.keys(newLayer(kind)).filter((name) => name !== "kind" && name !== "id").sort());
  for (const [, fields] of cases) for (const { name, label } of fields) expect(label).not.toBe(name);
});

it("steps whole numbers by one, shares by a twentieth, everything else by decades", () => {
  expect(experimentLimits("budget.epochs")).toEqual({ step: "whole", domain: { whole: true, min: 1, max: 100_000 } });
  expect(experimentLimits("dataset.validation")).toEqual({ step: "share", domain: { whole: false, min: 0, max: 0.9 } });
  expect(studyLimits("cohort")).toMatchObject({ step: "whole", domain: { min: 1, max: 1024 } });
  expect(workerLimits.domain).toMatchObject({ whole: true, min: 1, max: 256 });
  const [momentum] = layerFields.batchNorm;
  expect(momentum).toMatchObject({ step: "decades", domain: { min: 0, max: 1 } });
  expect(layerFields.dropout[0]).toMatchObject({ step: "share" });
});

it("sizes are one number or one for each direction, as typed", async () => {
  const form = mount(SpecFields, { props: { fields: layerFields.conv2d, values: newLayer("conv2d"), path: "model.layers.0" } });
  const typed = async (testid: string, text: string) => {
    await form.get(`[data-testid="layers-0-${testid}"]`).setValue(text);
    return (form.emitted("change") as [string, unknown][]).at(-1);
  };
  expect(await typed("kernel", "3 x 5")).toEqual(["kernel", [3, 5]]);
  expect(await typed("kernel", "3 x")).toEqual(["kernel", "3 x"]);
  expect(await typed("stride", "2")).toEqual(["stride", 2]);
  expect(await typed("padding", "1,0,1,0")).toEqual(["padding", [1, 0, 1, 0]]);
  await form.setProps({ values: { ...newLayer("conv2d"), kernel: [1, 7], padding: [0, 3, 0, 3] } });
  const shown = (testid: string) => (form.get(`[data-testid="layers-0-${testid}"]`).element as HTMLInputElement).value;
  expect([shown("kernel"), shown("padding")]).toEqual(["1 × 7", "0, 3, 0, 3"]);
});

it("an arrow key stops where the schema does", async () => {
  const form = mount(SpecFields, { props: { fields: layerFields.conv2d, values: { ...newLayer("conv2d"), kernel: 30 }, path: "model.layers.0" } });
  const kernel = form.get('[data-testid="layers-0-kernel"]');
  await kernel.trigger("keydown", { key: "ArrowUp" });
  expect(form.emitted("change")).toEqual([["kernel", 31]]);
  await form.setProps({ values: { ...newLayer("conv2d"), kernel: 31 } });
  await kernel.trigger("keydown", { key: "ArrowUp" });
  expect(form.emitted("change")).toHaveLength(1);
});
