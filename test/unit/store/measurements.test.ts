import { expect, it } from "vitest";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

it("keeps the latest measurement of a program on a machine, also after the store is reopened", () => {
  const folder = freshFolder();
  const store = openStore(folder);
  expect(store.measurements.find("p", "m", 0)).toBeUndefined();
  store.measurements.save("p", "m", "{}");
  store.measurements.save("p", "m", '{"a":1}');
  expect([store.measurements.find("p", "m", 0), store.measurements.find("p", "n", 0), store.measurements.find("p", "m", Date.now() + 1)]).toEqual(['{"a":1}', undefined, undefined]);
  expect(openStore(folder).measurements.find("p", "m", 0)).toBe('{"a":1}');
});

it("refuses a value that is not JSON, and keeps the earlier one", () => {
  const store = openStore(freshFolder());
  store.measurements.save("p", "m", "{}");
  expect(() => store.measurements.save("p", "m", "{")).toThrow();
  expect(store.measurements.find("p", "m", 0)).toBe("{}");
});
