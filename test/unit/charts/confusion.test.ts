import { expect, it } from "vitest";
import { shareText, shownCells } from "../../../src/charts/confusion.ts";

it("colors what is frequent in its row, mistakes more strongly than their share", () => {
  const [first, empty] = shownCells([[98, 2, 0], [0, 0, 0], [1, 1, 2]]) as [ReturnType<typeof shownCells>[0], ReturnType<typeof shownCells>[0]];
  expect(first.map(({ count, share }) => [count, share])).toEqual([[98, 0.98], [2, 0.02], [0, 0]]);
  expect(first[1]!.strength).toBeGreaterThan(0.2);
  expect(first[2]!.strength).toBe(0);
  expect(first[0]!.strength).toBeGreaterThan(first[1]!.strength);
  // A class without examples has no shares.
  expect(empty.map(({ share, strength }) => [share, strength])).toEqual([[null, 0], [null, 0], [null, 0]]);
  expect([0, 0.002, 0.0994, 0.0999, 1, null].map(shareText)).toEqual(["0 %", "0.2 %", "9.9 %", "10 %", "100 %", "–"]);
});
