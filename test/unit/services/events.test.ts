import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Batches } from "../../../src/main/services/events.ts";

let told: [id: string, items: readonly number[]][];
let batches: Batches<number>;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  batches = new Batches(500, (id, items) => told.push([id, items]));
});
afterEach(() => vi.useRealTimers());

it("tells the first item at once and gathers what follows, each item once and in order", () => {
  for (const item of [1, 2, 3]) batches.add("a", item);
  expect(told).toEqual([["a", [1]]]);
  vi.advanceTimersByTime(500);
  batches.add("a", 4);
  vi.advanceTimersByTime(499);
  expect(told).toEqual([["a", [1]], ["a", [2, 3]]]);
  vi.advanceTimersByTime(1);
  expect(told.at(-1)).toEqual(["a", [4]]);
});

it("keeps ids apart", () => {
  batches.add("a", 1);
  batches.add("b", 2);
  batches.add("a", 3);
  vi.advanceTimersByTime(500);
  expect(told).toEqual([["a", [1]], ["b", [2]], ["a", [3]]]);
});

it("tells at once what waits, where something else depends on it", () => {
  batches.add("a", 1);
  batches.add("a", 2);
  batches.flush("a");
  batches.flush("a");
  batches.flush("never seen");
  expect(told).toEqual([["a", [1]], ["a", [2]]]);
});

it("tells all that waits when it closes, and keeps no timer", () => {
  for (const id of ["a", "b"]) for (const item of [1, 2]) batches.add(id, item);
  batches.close();
  expect(told.slice(2)).toEqual([["a", [2]], ["b", [2]]]);
  expect(vi.getTimerCount()).toBe(0);
});

it("keeps no timer when nothing comes any more", () => {
  batches.add("a", 1);
  vi.advanceTimersByTime(500);
  expect(vi.getTimerCount()).toBe(0);
  batches.add("a", 2);
  expect(told).toHaveLength(2);
});
