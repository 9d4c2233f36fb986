import { describe, expect, it } from "vitest";
import { linearScale, logScale, logTicks, robustScale } from "../../../src/charts/axes.ts";
import { axisOption } from "../../../src/charts/frame.ts";
import { lookOf } from "../../../src/charts/theme.ts";

const labels = (values: number[], log = false) => {
  const scale = (log ? logScale : linearScale)(values);
  return scale?.ticks.map(scale.label);
};

describe("linear axes", () => {
  it("stand on round numbers around the values", () => {
    const scale = linearScale([0.13, 2.2]);
    expect([scale?.min, scale?.max]).toEqual([0, 2.5]);
    expect(labels([0.13, 2.2])).toEqual(["0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
  });

  it("write enough digits to tell ticks apart", () => {
    const written = labels([0.899997, 0.900001]) ?? [];
    expect(new Set(written).size).toBe(written.length);
    expect(written).toContain("0.899998");
  });

  it("write differences where the values are too alike", () => {
    const scale = linearScale([0.999 - 1.7e-8, 0.999]);
    expect(scale?.offset).toBe(0.999);
    expect(scale?.ticks.map(scale.label)).toEqual(["-2e-8", "-1.5e-8", "-1e-8", "-5e-9", "0"]);
  });

  it("say in their title what such differences are from", () => {
    const title = (values: number[]) => axisOption("y", { look: lookOf({ theme: "light", width: 400, height: 300 }), log: false, scale: linearScale(values), gridIndex: 0, name: "β₂" })["name"];
    expect(title([0.999 - 1.7e-8, 0.999])).toBe("β₂ − 0.999");
    expect(title([0.9, 0.99])).toBe("β₂");
  });

  it("give a flat line room", () => {
    for (const value of [0, 0.9, -3]) {
      const scale = linearScale([value, value]);
      expect(scale?.min).toBeLessThan(value);
      expect(scale?.max).toBeGreaterThan(value);
    }
  });

  it("write small values with exponents", () => {
    expect(labels([0, 4e-6])).toEqual(["0", "1e-6", "2e-6", "3e-6", "4e-6"]);
    expect(labels([-2e-6, 2e-6])).toEqual(["-2e-6", "-1e-6", "0", "1e-6", "2e-6"]);
  });

  it("keep steps and epochs whole", () => {
    expect(linearScale([0, 2], 6, true)?.ticks).toEqual([0, 1, 2]);
    expect(linearScale([0, 1174], 6, true)?.ticks).toEqual([0, 200, 400, 600, 800, 1000, 1200]);
  });

  it("are not there without values", () => {
    expect(linearScale([])).toBeUndefined();
  });
});

describe("logarithmic axes", () => {
  it("tick by decades over a wide range, finer over a narrow one", () => {
    expect(logTicks(1e-6, 1)).toEqual([1e-6, 1e-4, 1e-2, 1]);
    expect(logTicks(0.005, 12)).toEqual([0.01, 0.1, 1, 10]);
    expect(logTicks(0.12, 2.2)).toEqual([0.2, 0.5, 1, 2]);
    expect(logTicks(0.81, 1.4).length).toBeGreaterThanOrEqual(3);
  });

  it("leave out what is not positive", () => {
    const scale = logScale([-5, 0, 0.1, 10]);
    expect(scale?.min).toBeGreaterThan(0.05);
    expect(logScale([-1, 0])).toBeUndefined();
  });

  it("never repeat a label", () => {
    for (const values of [[0.81, 0.86], [0.00379, 0.00385], [0.12, 2.3], [1e-9, 1e3]]) {
      const written = labels(values, true) ?? [];
      expect(new Set(written).size).toBe(written.length);
      expect(written.length).toBeGreaterThan(1);
    }
  });
});

describe("axes that outliers do not stretch", () => {
  const curve = (values: readonly number[], broken = false) => ({ values, broken });
  const falling = (from: number) => Array.from({ length: 50 }, (_, i) => from / (1 + i));

  it.each([true, false])("show sound curves at full height beside one that diverged (log: %s)", (log) => {
    const sound = [curve(falling(2)), curve(falling(3))];
    for (const diverged of [curve([2, 5, 40, 1e7, 1e30], true), curve([2, 5, 40, 1e7, 1e30])]) {
      const scale = robustScale([...sound, diverged], log)!;
      expect(scale.max).toBeGreaterThanOrEqual(3);
      expect(scale.max).toBeLessThan(1e8);
      expect(scale.min).toBeLessThanOrEqual(2 / 50);
    }
  });

  it("are those of the values where nothing stands out", () => {
    const curves = [curve(falling(2)), curve(falling(30)), curve([0.5, 5])];
    for (const log of [true, false]) {
      const plain = (log ? logScale : linearScale)(curves.flatMap(({ values }) => values))!;
      expect([robustScale(curves, log)?.min, robustScale(curves, log)?.max]).toEqual([plain.min, plain.max]);
    }
  });

  it("leave out a single spike of a lone curve, and keep a lone curve that broke", () => {
    const values = [...falling(2), 1e12];
    expect(robustScale([curve(values)], false)?.max).toBeLessThan(50);
    expect(robustScale([curve(falling(2), true)], false)?.max).toBeGreaterThanOrEqual(2);
  });

  it("keep a curve of another order of magnitude in view", () => {
    expect(robustScale([curve([1e-3, 1e-3]), curve([1e-3, 1e-3]), curve([0.5, 0.5])], false)?.max).toBeGreaterThanOrEqual(0.5);
    expect(robustScale([curve([1e-9, 1e-9]), curve([1e-1, 1e-1])], true)?.min).toBeLessThan(1e-9);
  });

  it("leave out a huge value beside starts that span many decades", () => {
    const starts = Array.from({ length: 11 }, (_, i) => curve([10 ** (i - 8), 10 ** (i - 8), 10 ** (i - 8) / 2]));
    const spike = curve([1, ...falling(1), 1e30]);
    const scale = robustScale([...starts, spike], true)!;
    expect(scale.min).toBeLessThanOrEqual(1e-8);
    expect(scale.max).toBeGreaterThanOrEqual(100);
    expect(scale.max).toBeLessThan(1e9);
    // Near the bulk nothing is left out.
    expect(robustScale([...starts, curve([1, ...falling(1), 1e6])], true)?.max).toBeGreaterThanOrEqual(1e6);
  });

  it("take what is not finite for no value", () => {
    expect(robustScale([curve([NaN, Infinity], true)], false)).toBeUndefined();
    expect(robustScale([curve([0, 0, NaN], true)], false)).toMatchObject({ min: -1, max: 1 });
  });
});
