/**
 * Who may talk to the local server. A link with a one-time token buys one browser a
 * session cookie; everything else needs that cookie. Host and Origin are checked
 * too: other web pages open in the same browser can reach loopback addresses.
 */
import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const loopbackNames = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Constant in time for inputs of any length: digests are compared, not the texts. */
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Whether the Host header names this machine. The port is left open, because a
 * tunnel (`ssh -L 9000:127.0.0.1:PORT`) is reached through another one.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const match = /^(\[[0-9a-f:]+\]|[^:\s]+)(?::\d{1,5})?$/i.exec(host ?? "");
  return match?.[1] !== undefined && loopbackNames.has(match[1].toLowerCase());
}

/** Whether the request comes from a page of this very server, under the name the browser knows it by. */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  return headers.host !== undefined && headers.origin === `http://${headers.host}`;
}

export class Access {
  /** Browsers share cookies between all ports of a host: a name of its own keeps servers apart. */
  readonly #cookieName = `hypertower-${randomBytes(4).toString("hex")}`;
  readonly #sessions = new Set<string>();
  #token: string | null;

  constructor(token = randomToken()) {
    this.#token = token;
  }

  /** A fresh token. The one before it, if nobody has used it, is void. */
  renewToken(): string {
    this.#token = randomToken();
    return this.#token;
  }

  /** Trades a token for a Set-Cookie header; null when it is wrong, used or void. */
  redeem(token: string): string | null {
    if (this.#token === null || !equal(token, this.#token)) return null;
    this.#token = null;
    const session = randomToken();
    this.#sessions.add(session);
    return `${this.#cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Whether the request carries the cookie of an open session. */
  hasSession(headers: IncomingHttpHeaders): boolean {
    for (const pair of (headers.cookie ?? "").split(";")) {
      const [name, value] = pair.trim().split("=", 2);
      if (name !== this.#cookieName || value === undefined) continue;
      for (const session of this.#sessions) if (equal(value, session)) return true;
    }
    return false;
  }
}
