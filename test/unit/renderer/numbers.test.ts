import { describe, expect, it } from "vitest";
import { readEntry, stepValue } from "@/lib/numbers.ts";

describe("reading", () => {
  it.each([
    ["0.01", 0.01],
    ["1e-5", 1e-5],
    ["1E-5", 1e-5],
    [" .5 ", 0.5],
    ["−8", -8],
    ["60,000", 60000],
    ["3.", 3],
  ])("reads %s", (text, value) => {
    expect(readEntry(text)).toBe(value);
  });

  it.each(["", " ", "abc", "1e", "1,5", "0x10", "1 000", "--1", "Infinity", "NaN"])("leaves %j as text for validation to refuse", (text) => {
    expect(readEntry(text)).toBe(text);
  });
});

describe("stepping", () => {
  const walk = (from: number, direction: 1 | -1, kind: "decades" | "fraction", count: number) => {
    const values = [from];
    for (let i = 0; i < count; i++) values.push(stepValue(values.at(-1) ?? 0, direction, kind));
    return values;
  };

  it("goes through decades as 1, 2, 5", () => {
    expect(walk(1e-5, 1, "decades", 4)).toEqual([1e-5, 2e-5, 5e-5, 1e-4, 2e-4]);
    expect(walk(0.001, -1, "decades", 3)).toEqual([0.001, 0.0005, 0.0002, 0.0001]);
    expect(stepValue(0.003, 1, "decades")).toBe(0.005);
    expect(stepValue(0.003, -1, "decades")).toBe(0.002);
    expect(stepValue(0, 1, "decades")).toBe(1e-5);
  });

  it("nears 1 without reaching it", () => {
    expect(walk(0.9, 1, "fraction", 4)).toEqual([0.9, 0.95, 0.98, 0.99, 0.995]);
    expect(walk(0.9, -1, "fraction", 3)).toEqual([0.9, 0.8, 0.5, 0]);
  });

  it("stays inside the domain", () => {
    const open = { min: 0, max: 1, minExclusive: true, maxExclusive: true };
    expect(stepValue(0.5, -1, "fraction", open)).toBe(0.5);
    expect(stepValue(1, -1, "whole", { min: 1, max: 10 })).toBe(1);
  });
});
