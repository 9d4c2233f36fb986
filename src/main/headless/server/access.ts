/**
 * Access control of the local server. A link with a one-time token gives one browser a
 * session: a cookie, required for the window's files, and a key, also required for the
 * socket. Browsers send a host's cookies to all its ports, so another program on this
 * machine may see the cookie; only pages of this port have the key. Host and Origin are
 * checked too, because other web pages in the same browser can reach loopback addresses.
 */
import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { keyProtocol } from "../../../shared/socket.ts";

const loopbackNames = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Comparison in constant time for texts of any length: compares their digests. */
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Whether the Host header names this machine. Any port is allowed, because a
 * tunnel (`ssh -L 9000:127.0.0.1:PORT`) has another one.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const match = /^(\[[0-9a-f:]+\]|[^:\s]+)(?::\d{1,5})?$/i.exec(host ?? "");
  return match?.[1] !== undefined && loopbackNames.has(match[1].toLowerCase());
}

/** Whether the request comes from a page of this server, under the name that the browser uses for it. */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  return headers.host !== undefined && headers.origin === `http://${headers.host}`;
}

/** Lifetime of an unused link, and of a session since its last use, in milliseconds. */
const linkLasts = 24 * 3_600_000;
const sessionLasts = 7 * 24 * 3_600_000;

export interface Granted {
  /** A Set-Cookie header. */
  readonly cookie: string;
  readonly key: string;
}

interface Session {
  readonly key: string;
  usedAt: number;
}

export class Access {
  /** Random, because browsers share cookies between all ports of a host. */
  readonly #cookieName = `hypertower-${randomBytes(4).toString("hex")}`;
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;
  #token: string | null;
  #madeAt: number;

  /** @param now clock in milliseconds */
  constructor(token = randomToken(), now: () => number = Date.now) {
    this.#token = token;
    this.#now = now;
    this.#madeAt = now();
  }

  /** Returns a new token; an earlier, unused token becomes invalid. */
  renewToken(): string {
    this.#token = randomToken();
    this.#madeAt = this.#now();
    return this.#token;
  }

  /** Exchanges a token for a session; null when it is wrong, used, replaced or expired. */
  redeem(token: string): Granted | null {
    if (this.#token === null || !equal(token, this.#token) || this.#now() - this.#madeAt > linkLasts) return null;
    this.#token = null;
    const [session, key] = [randomToken(), randomToken()];
    this.#sessions.set(session, { key, usedAt: this.#now() });
    return { cookie: `${this.#cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`, key };
  }

  /** Whether the request has the cookie of an open session; extends the session. */
  hasSession(headers: IncomingHttpHeaders): boolean {
    return this.#sessionOf(headers) !== null;
  }

  /** Whether a socket request has that cookie, and the session's key among its protocols. */
  mayConnect(headers: IncomingHttpHeaders): boolean {
    const session = this.#sessionOf(headers);
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
    return session !== null && offered.some((protocol) => equal(protocol, keyProtocol(session.key)));
  }

  #sessionOf(headers: IncomingHttpHeaders): Session | null {
    const now = this.#now();
    for (const [name, { usedAt }] of this.#sessions) if (now - usedAt > sessionLasts) this.#sessions.delete(name);
    for (const pair of (headers.cookie ?? "").split(";")) {
      const [name, value] = pair.trim().split("=", 2);
      if (name !== this.#cookieName || value === undefined) continue;
      for (const [id, session] of this.#sessions) {
        if (!equal(value, id)) continue;
        session.usedAt = now;
        return session;
      }
    }
    return null;
  }
}
