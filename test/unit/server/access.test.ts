import { describe, expect, it } from "vitest";
import { keyProtocol } from "../../../src/shared/socket.ts";
import { type Granted, Access, isLoopbackHost, isSameOrigin } from "../../../src/main/headless/server/access.ts";

const cookieOf = (granted: Granted | null): string => {
  if (granted === null) throw new Error("no session was given");
  return granted.cookie.split(";")[0] ?? "";
};

describe("the one-time token", () => {
  it("buys one session", () => {
    const access = new Access("the-token");
    expect(access.redeem("the-tokem")).toBeNull();
    expect(access.redeem("")).toBeNull();
    const granted = access.redeem("the-token");
    expect(granted?.cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(access.redeem("the-token")).toBeNull();
    expect(access.hasSession({ cookie: cookieOf(granted) })).toBe(true);
    expect(access.hasSession({ cookie: `a=b; ${cookieOf(granted)}; c=d` })).toBe(true);
  });

  it("is void after a day", () => {
    let now = 0;
    const access = new Access("the-token", () => now);
    now = 25 * 3_600_000;
    expect(access.redeem("the-token")).toBeNull();
    const renewed = access.renewToken();
    now += 3_600_000;
    expect(access.redeem(renewed)).not.toBeNull();
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

describe("a session's key", () => {
  it("is needed for the socket beside the cookie, which other ports of this machine see", () => {
    const access = new Access("t");
    const granted = access.redeem("t")!;
    const cookie = cookieOf(granted);
    const other = access.redeem(access.renewToken())!;
    const protocols = (...names: string[]) => ({ cookie, "sec-websocket-protocol": names.join(", ") });
    expect(access.mayConnect(protocols("hypertower", keyProtocol(granted.key)))).toBe(true);
    expect(access.mayConnect({ cookie })).toBe(false);
    expect(access.mayConnect(protocols("hypertower", keyProtocol(other.key)))).toBe(false);
    expect(access.mayConnect(protocols("hypertower", granted.key))).toBe(false);
    expect(access.mayConnect({ "sec-websocket-protocol": keyProtocol(granted.key) })).toBe(false);
  });
});

describe("a session that nobody uses", () => {
  it("ends after a week; one in use does not", () => {
    let now = 0;
    const access = new Access("t", () => now);
    const cookie = cookieOf(access.redeem("t"));
    const day = 24 * 3_600_000;
    for (let i = 0; i < 10; i++) {
      now += 2 * day;
      expect(access.hasSession({ cookie })).toBe(true);
    }
    now += 8 * day;
    expect(access.hasSession({ cookie })).toBe(false);
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
