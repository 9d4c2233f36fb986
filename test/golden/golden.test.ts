/** The traces of the authors' library, reproduced in float64 to 1e-12 relative, and those of reference optimizers to 1e-10. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { referenceLevel } from "./references.ts";
import { readTrace, replay, stackOf } from "./traces.ts";

const folder = join(import.meta.dirname, "traces");
const tolerances = { float64: 1e-12, float32: 1e-5 };

for (const file of ["leastsquares_f64.json", "mlp_f64.json", "sgdperparam_f64.json", "towers_f64.json", "mlp_f32.json"]) {
  const trace = await readTrace(join(folder, file));
  describe(file, () => {
    for (const traced of trace.cases) {
      it(traced.name, () => {
        const { relative, where } = replay(trace, traced);
        expect(relative, where).toBeLessThan(tolerances[trace.dtype]);
      });
    }
  });
}

/** Sums of PyTorch, in the order of its vector registers, amplified a million times (docs/levels.md). */
const illConditioned = ["dadapt_sgd"];

describe.each(["methods_f64.json", "methods_options_f64.json"])("reference optimizers: %s", async (file) => {
  const trace = await readTrace(join(folder, file));
  it.each(trace.cases)("$name", (traced) => {
    const { relative, where } = replay(trace, traced);
    expect(relative, where).toBeLessThan(illConditioned.includes(traced.name) ? 1e-9 : 1e-10);
  });
});

it("an optimizer or an argument nobody knows is refused by name", () => {
  expect(() => stackOf([{ type: "Lion", alpha: 0.1 }])).toThrow("unknown optimizer Lion");
  expect(() => stackOf([{ type: "SGD", beta1: 0.1 }])).toThrow("unknown argument beta1 of SGD");
  expect(() => stackOf([{ type: "SGDPerParam", alphas: { w: 0.1 }, mu: 0.9 }])).toThrow("unknown argument mu of SGDPerParam");
  expect(() => stackOf([{ type: "SGDPerParam" }])).toThrow("SGDPerParam needs alphas");
  expect(() => referenceLevel({ reference: "torch.optim.Rprop", settings: {} })).toThrow("unknown reference torch.optim.Rprop");
  expect(() => referenceLevel({ reference: "torch.optim.Adam", settings: { lr: 0.1, maximize: true } })).toThrow("unknown setting maximize of torch.optim.Adam");
  expect(() => referenceLevel({ reference: "AdamW; ExponentialLR", settings: { lr: 0.1 } })).toThrow("unknown scheduler ExponentialLR");
  expect(() => referenceLevel({ reference: "prodigyopt.Prodigy", settings: { d_coef: 2 } })).toThrow("setting d_coef of prodigyopt.Prodigy: only 1 is known here, not 2");
});

it("the comparison notices a change in the eleventh digit", async () => {
  const trace = await readTrace(join(folder, "mlp_f64.json"));
  const traced = trace.cases.find(({ name }) => name === "adam_sgd")!;
  const loss = traced.loss.map((value, t) => (t === 20 ? value * (1 + 1e-11) : value));
  const { relative, where } = replay(trace, { ...traced, loss });
  expect(relative).toBeGreaterThan(1e-12);
  expect(where).toBe("loss at step 20");
});

it("the comparison notices a step size of a schedule that is off by a step", async () => {
  const trace = await readTrace(join(folder, "methods_f64.json"));
  const traced = trace.cases.find(({ name }) => name === "sgd_step") as Parameters<typeof replay>[1] & { readonly lr: number[] };
  expect(replay(trace, { ...traced, lr: [traced.lr[0]!, ...traced.lr.slice(0, -1)] } as typeof traced)).toMatchObject({ where: "lr at step 20" });
});
