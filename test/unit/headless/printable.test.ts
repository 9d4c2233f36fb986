import { expect, it } from "vitest";
import { printable } from "../../../src/main/headless/printable.ts";

it("spells out what a terminal would obey, and leaves all else", () => {
  expect(printable("a\u001b]0;owned\u0007b\u009b31m\r\u202egnp.exe")).toBe("a\\u001b]0;owned\\u0007b\\u009b31m\\u000d\\u202egnp.exe");
  const plain = "α = 0.1, 名前\t– ± 🙂\nnext";
  expect(printable(plain)).toBe(plain);
  // A line of JSON stays one.
  const value = { name: "x\u009by\u202e" };
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});
