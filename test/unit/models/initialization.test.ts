import { describe, expect, it } from "vitest";
import { draw } from "../../../src/core/models/initialization.ts";
import { Random } from "../../../src/core/models/random.ts";
import { initializationNames, weightInitialization, type InitializationName } from "../../../src/shared/models/initialization.ts";

const shape = [40, 10, 3, 3];
const random = () => new Random(3, "initialization", 1);
const drawn = (name: InitializationName, of = shape) => draw(weightInitialization(name, of, { scheme: "uniform", bound: 0.5 }), of, random());
const deviation = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe("initialization schemes", () => {
  // fan in 90, fan out 360: the standard deviations that PyTorch's documentation gives.
  it.each<[InitializationName, number]>([
    ["default", 0.5 / Math.sqrt(3)],
    ["kaiming_uniform", Math.sqrt(2 / 90)],
    ["kaiming_normal", Math.sqrt(2 / 90)],
    ["xavier_uniform", Math.sqrt(2 / 450)],
    ["xavier_normal", Math.sqrt(2 / 450)],
    ["normal", 0.02],
    ["zeros", 0],
  ])("%s has its standard deviation", (name, expected) => {
    // 3600 values: the estimate lies within 4 % by four of its own standard deviations.
    expect(Math.abs(deviation(drawn(name)) - expected)).toBeLessThanOrEqual(0.05 * expected);
  });

  it("normal values have a normal's share beyond two deviations, and no gaps for odd sizes", () => {
    const values = draw({ scheme: "normal", deviation: 1 }, [10_001], random());
    const beyond = values.filter((value) => Math.abs(value) > 2).length / values.length;
    expect(beyond).toBeGreaterThan(0.035);
    expect(beyond).toBeLessThan(0.056);
    expect(values.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  });

  it.each([[[6, 20]], [[20, 6]], [[5, 5]], [[4, 2, 3, 3]]])("orthogonal %j has orthonormal rows or columns", (of) => {
    const values = drawn("orthogonal", of);
    const rows = of[0]!;
    const columns = values.length / rows;
    const at = (i: number, k: number) => (rows <= columns ? values[i * columns + k]! : values[k * columns + i]!);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let product = 0;
        for (let k = 0; k < length; k++) product += at(i, k) * at(j, k);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
  });

  it("every name is a scheme", () => {
    for (const name of initializationNames) expect(drawn(name)).toHaveLength(3600);
  });
});
