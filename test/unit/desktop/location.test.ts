import { describe, expect, it } from "vitest";
import { isOwnUrl, isTrustedSender, windowUrl } from "../../../src/main/desktop/location.ts";

const own = { url: windowUrl, origin: "app://hypertower", parent: null };

describe("the window's own pages", () => {
  it.each(["app://hypertower/", "app://hypertower/#/runs", "app://hypertower/index.html?x=1"])("%s is one", (url) => {
    expect(isOwnUrl(url)).toBe(true);
  });

  it.each(["app://other/", "app://hypertower.example/", "app://user@hypertower/", "app://hypertower:1/", "https://hypertower/", "file:///index.html", "about:blank", "about:srcdoc", "data:text/html,x", "javascript:1", ""])(
    "%s is none",
    (url) => {
      expect(isOwnUrl(url)).toBe(false);
    },
  );
});

describe("the sender of a message", () => {
  it("is trusted when it is the top frame of the window's pages", () => {
    expect(isTrustedSender(own)).toBe(true);
  });

  it("is refused otherwise", () => {
    expect(isTrustedSender(null)).toBe(false);
    expect(isTrustedSender({ ...own, parent: own })).toBe(false);
    expect(isTrustedSender({ ...own, url: "https://example.org/" })).toBe(false);
    expect(isTrustedSender({ ...own, origin: "https://example.org" })).toBe(false);
    // A sandboxed document at the right address has an origin of its own.
    expect(isTrustedSender({ ...own, origin: "null" })).toBe(false);
  });
});
