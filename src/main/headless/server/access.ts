/**
 * Who may talk to the local server. A link with a one-time token buys one browser a
 * session: a cookie, which the window's files need, and a key, which the socket needs
 * besides. Browsers send a host's cookies to all its ports, so another program on this
 * machine can come to see the cookie; the key stays with the pages of this port. Host
 * and Origin are checked too: other web pages open in the same browser can reach
 * loopback addresses.
 */
import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { keyProtocol } from "../../../shared/socket.ts";

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

/** Milliseconds that a link waits to be opened, and a session to be used again. */
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
  /** Browsers share cookies between all ports of a host: a name of its own keeps servers apart. */
  readonly #cookieName = `hypertower-${randomBytes(4).toString("hex")}`;
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;
  #token: string | null;
  #madeAt: number;

  /** @param now milliseconds of a clock */
  constructor(token = randomToken(), now: () => number = Date.now) {
    this.#token = token;
    this.#now = now;
    this.#madeAt = now();
  }

  /** A fresh token. The one before it, if nobody has used it, is void. */
  renewToken(): string {
    this.#token = randomToken();
    this.#madeAt = this.#now();
    return this.#token;
  }

  /** Trades a token for a session; null when it is wrong, used, void or too old. */
  redeem(token: string): Granted | null {
    if (this.#token === null || !equal(token, this.#token) || this.#now() - this.#madeAt > linkLasts) return null;
    this.#token = null;
    const [session, key] = [randomToken(), randomToken()];
    this.#sessions.set(session, { key, usedAt: this.#now() });
    return { cookie: `${this.#cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`, key };
  }

  /** Whether the request carries the cookie of an open session, which it keeps open. */
  hasSession(headers: IncomingHttpHeaders): boolean {
    return this.#sessionOf(headers) !== null;
  }

  /** Whether a request for a socket carries that cookie and the session's key, among its protocols. */
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
