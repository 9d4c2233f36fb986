import { describe, expect, it } from "vitest";
import { Access, isLoopbackHost, isSameOrigin } from "../../../src/main/headless/server/access.ts";

const cookieOf = (setCookie: string | null): string => {
  if (setCookie === null) throw new Error("no cookie was given");
  return setCookie.split(";")[0] ?? "";
};

describe("the one-time token", () => {
  it("buys one session", () => {
    const access = new Access("the-token");
    expect(access.redeem("the-tokem")).toBeNull();
    expect(access.redeem("")).toBeNull();
    const cookie = access.redeem("the-token");
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(access.redeem("the-token")).toBeNull();
    expect(access.hasSession({ cookie: cookieOf(cookie) })).toBe(true);
    expect(access.hasSession({ cookie: `a=b; ${cookieOf(cookie)}; c=d` })).toBe(true);
  });

  it("is void once it was renewed", () => {
    const access = new Access("first");
    const second = access.renewToken();
    expect(access.redeem("first")).toBeNull();
    expect(access.redeem(second)).not.toBeNull();
  });

  it("is hard to guess, and never the same", () => {
    const access = new Access();
    const tokens = Array.from({ length: 50 }, () => access.renewToken());
    expect(new Set(tokens).size).toBe(50);
    for (const token of tokens) expect(Buffer.from(token, "base64url")).toHaveLength(32);
  });
});

describe("a session", () => {
  it("is no other server's", () => {
    const cookie = cookieOf(new Access("t").redeem("t"));
    const other = new Access("t");
    const [, value] = cookie.split("=");
    const [otherName] = cookieOf(other.redeem("t")).split("=");
    expect(other.hasSession({ cookie })).toBe(false);
    expect(other.hasSession({ cookie: `${otherName}=${value}` })).toBe(false);
    expect(other.hasSession({ cookie: `${otherName}=` })).toBe(false);
    expect(other.hasSession({})).toBe(false);
  });
});

describe("Host and Origin", () => {
  it.each(["127.0.0.1", "127.0.0.1:80", "localhost:9000", "LOCALHOST:1", "[::1]:8080"])("takes %s for this machine", (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each([undefined, "", "example.org", "localhost.example.org", "127.0.0.1.example.org:80", "localhost:", "localhost:99x", "0.0.0.0", "user@localhost", "[::2]"])(
    "does not take %s for this machine",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it("takes only the page's own server for its origin", () => {
    expect(isSameOrigin({ host: "localhost:9000", origin: "http://localhost:9000" })).toBe(true);
    for (const origin of ["http://localhost:9001", "https://localhost:9000", "http://127.0.0.1:9000", "null", "", undefined]) {
      expect(isSameOrigin({ host: "localhost:9000", origin })).toBe(false);
    }
    expect(isSameOrigin({ origin: "http://undefined" })).toBe(false);
  });
});
