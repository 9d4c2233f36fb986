/** The frame of a picture: titles and footers that are wider than it wrap. */
import { expect, it } from "vitest";
import { frameOf, roomFor, wrapped } from "../../../src/charts/frame.ts";
import type { ChartSettings } from "../../../src/charts/theme.ts";

const settings: ChartSettings = { theme: "light", width: 400, height: 300 };
const long = "Methods on a character RNN, quick: test perplexity against the starting value, as a factor of its published default";

it("wraps at words, and cuts only words that are wider than the line", () => {
  const room = roomFor("x".repeat(20), 10);
  expect(wrapped("one line", 10, room)).toEqual(["one line"]);
  expect(wrapped("several words on lines of their own", 10, room)).toEqual(["several words on", "lines of their own"]);
  expect(wrapped(`an ${"x".repeat(45)} word`, 10, room)).toEqual(["an", "x".repeat(20), "x".repeat(20), "xxxxx word"]);
  expect(wrapped("", 10, room)).toEqual([]);
});

it("shows the whole of a long title, and makes room for it", () => {
  const [short, wide] = ["Short", long].map((title) => frameOf({ ...settings, title }, []));
  const [{ text }] = wide!.parts["title"] as [{ text: string }];
  expect(text.replaceAll("\n", " ")).toBe(long);
  const lines = text.split("\n");
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(roomFor(line, 15.5)).toBeLessThan(372);
  expect(wide!.inner.top - short!.inner.top).toBeCloseTo((lines.length - 1) * 15.5 * 1.3);
  expect(wide!.inner.top + wide!.inner.height).toBe(short!.inner.top + short!.inner.height);
});

it("wraps the lines of a footer", () => {
  const { parts, inner } = frameOf({ ...settings, footer: [long, "last"] }, []);
  const texts = (parts["title"] as { text: string; top: number }[]).map(({ text }) => text);
  expect(texts.slice(0, -1).join(" ")).toBe(long);
  expect(texts.length).toBeGreaterThan(2);
  expect(inner.top + inner.height).toBeLessThan((parts["title"] as { top: number }[])[0]!.top);
});
