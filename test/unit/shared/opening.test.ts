/** Links that open pages of the app, and everything that looks like one. */
import { describe, expect, it } from "vitest";
import { maxLinkLength, readLink } from "../../../src/shared/opening.ts";
import { encodeLink, openPath } from "../../../src/shared/sharing.ts";

const shared = { kind: "experiment", value: { dataset: { kind: "digits" } } } as const;

describe("readLink", () => {
  it.each([
    ["hypertower://new", "/"],
    ["hypertower://runs", "/runs"],
    ["hypertower://runs/", "/runs"],
    ["hypertower://runs/2026-11-30_a", "/runs/2026-11-30_a"],
    ["hypertower://studies/abc", "/studies/abc"],
    ["hypertower://engines", "/engines"],
    ["hypertower://storage", "/storage"],
  ])("opens a page: %s", (link, path) => expect(readLink(link)).toEqual({ kind: "page", path }));

  it("reads definitions in both forms as the same text", () => {
    const text = encodeLink(shared);
    const address = `hypertower:/${openPath(shared)}`;
    expect(readLink(text)).toEqual({ kind: "definition", name: "The link", text });
    expect(readLink(address)).toEqual({ kind: "definition", name: "The link", text });
    expect(readLink(`${address}/`)).toEqual({ kind: "definition", name: "The link", text });
  });

  it.each([
    "hypertower:",
    "hypertower://",
    "hypertower://nowhere",
    "hypertower://runs/../storage",
    "hypertower://runs/a/delete",
    "hypertower://runs/a?start=1",
    "hypertower://runs/a#/storage",
    "hypertower://runs/%2e%2e",
    `hypertower://runs/${"a".repeat(65)}`,
    "hypertower://user@runs",
    "hypertower://runs:80",
    "hypertower://studies/new/..",
    "hypertower://open/run/abc",
    "hypertower://open/study/a b",
    "hypertower:study:",
    "HYPERTOWER://runs",
    "hypertower://runs\nhypertower://storage",
    " hypertower://runs",
    "javascript:alert(1)",
    "https://example.com/#hypertower://runs",
  ])("refuses %j", (link) => expect(readLink(link)).toMatchObject({ kind: "problem", message: expect.stringContaining("is not a link that Hypertower opens") as string }));

  it("refuses a link that is too long, without repeating it", () => {
    const opening = readLink(`hypertower:study:${"A".repeat(maxLinkLength)}`);
    expect(opening).toMatchObject({ kind: "problem" });
    expect(JSON.stringify(opening).length).toBeLessThan(200);
  });
});
