import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startServer, type LocalServer } from "../../../src/main/headless/server/index.ts";
import { maxMessageBytes } from "../../../src/main/headless/server/socket.ts";
import { keyProtocol, socketProtocol } from "../../../src/shared/socket.ts";
import { FileAccess } from "../../../src/main/services/fileAccess.ts";
import { UserError } from "../../../src/main/services/services.ts";
import { downloadPath, pictureSettings } from "../../../src/shared/reports.ts";
import { fakeServices, type FakeServices } from "../../support/fakeServices.ts";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

let folder: string;
let services: FakeServices;
/** As `serve --data-root` limits windows. */
let files: FileAccess;
let server: LocalServer;
let host: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-server-"));
  const rendererDir = join(folder, "renderer");
  mkdirSync(join(rendererDir, "assets"), { recursive: true });
  writeFileSync(join(rendererDir, "index.html"), "<p>workbench</p>");
  writeFileSync(join(rendererDir, "assets", "index-abc.js"), "1;");
  writeFileSync(join(folder, "secret.txt"), "secret");
  services = fakeServices();
  files = new FileAccess("allowed are files in: data");
  files.grant(rendererDir);
  server = await startServer({ services, port: 0, rendererDir, token: "first-token", files });
  host = `127.0.0.1:${server.port}`;
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Sends the path as it is: no client tidies it up on the way. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: server.port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject).end();
  });
}

/** The session's key, once a browser has signed in. */
let key = "";

/** @returns the cookie */
async function signIn(): Promise<string> {
  const { headers, body } = await ask("/?token=first-token");
  key = /data-key="([^"]+)"/.exec(body)?.[1] ?? "";
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

/** Opens a socket with the session's key; resolves to it, or to the status it was refused with. */
function open(headers: Record<string, string>, path = "/ws", protocols = [socketProtocol, keyProtocol(key)]): Promise<WebSocket | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols, { headers });
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on("error", reject);
  });
}

async function openSocket(): Promise<WebSocket> {
  const socket = await open({ cookie: await signIn(), origin: `http://${host}` });
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  return socket;
}

function nextMessage(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve) => socket.once("message", (data) => resolve(JSON.parse(String(data)))));
}

function closeCode(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once("close", resolve));
}

describe("the link", () => {
  it("gives one browser a session, once", async () => {
    expect(server.url).toBe(`http://${host}/?token=first-token`);
    const first = await ask("/?token=first-token");
    expect(first).toMatchObject({ status: 200, headers: { "cache-control": "no-store" }, body: expect.stringMatching(/data-key="[\w-]{43}"/) as string });
    expect(await ask("/welcome.js")).toMatchObject({ status: 200, body: expect.stringContaining('location.replace("/")') as string });
    expect(first.headers["set-cookie"]?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    const again = await ask("/?token=first-token");
    expect(again.status).toBe(403);
    expect(again.headers["set-cookie"]).toBeUndefined();
    expect(again.body).toContain("new link");
  });

  it("is not used up by HEAD, nor by another host's name", async () => {
    expect((await ask("/?token=first-token", {}, "HEAD")).headers["set-cookie"]).toBeUndefined();
    expect((await ask("/?token=first-token", { host: "example.org" })).status).toBe(403);
    expect((await ask("/?token=first-token")).status).toBe(200);
  });

  it("can be asked for again, which voids an unused one", async () => {
    const fresh = new URL(server.newLink());
    expect((await ask("/?token=first-token")).status).toBe(403);
    expect((await ask(fresh.pathname + fresh.search)).status).toBe(200);
    expect((await ask(fresh.pathname + fresh.search)).status).toBe(403);
  });

  it("opened again in the same browser leads to the workbench", async () => {
    expect(await ask("/?token=first-token", { cookie: await signIn() })).toMatchObject({ status: 303, headers: { location: "/" } });
  });

  it.each(["/?token=", "/?token=wrong", "/?token=first-token2", "/?Token=first-token", "/x?token=first-token"])("refuses %s", async (path) => {
    expect(await ask(path)).toMatchObject({ status: 403 });
  });
});

describe("the window's files", () => {
  it("need a session, every one", async () => {
    for (const path of ["/", "/index.html", "/assets/index-abc.js", "/nothing"]) {
      const { status, body } = await ask(path);
      expect(status, path).toBe(403);
      expect(body).toContain("link");
    }
  });

  it("come with the policy and the other headers, errors too", async () => {
    const cookie = await signIn();
    for (const [path, status] of [["/", 200], ["/assets/index-abc.js", 200], ["/nothing.js", 404]] as const) {
      const answer = await ask(path, { cookie });
      expect(answer.status, path).toBe(status);
      expect(answer.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(answer.headers["content-security-policy"]).not.toContain("unsafe");
      expect(answer.headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      });
    }
    expect((await ask("/", { cookie })).headers["cache-control"]).toBe("no-store");
  });

  it("answer to HEAD without a body", async () => {
    expect(await ask("/", { cookie: await signIn() }, "HEAD")).toMatchObject({ status: 200, headers: { "content-length": "16" }, body: "" });
  });

  it.each(["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5c..%5csecret.txt", "/%00"])("are all there is: %s", async (path) => {
    const answer = await ask(path, { cookie: await signIn() });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain("secret");
  });

  it("cannot be written", async () => {
    const cookie = await signIn();
    expect((await ask("/", { cookie, origin: `http://${host}` }, "POST")).status).toBe(405);
    expect((await ask("/", { cookie, origin: "https://example.org" }, "POST")).status).toBe(403);
    expect((await ask("/", { cookie }, "DELETE")).status).toBe(403);
  });
});

describe("other names and other pages", () => {
  it.each(["example.org", "127.0.0.1.example.org", "0.0.0.0"])("refuses the host %s, with a session too", async (name) => {
    expect((await ask("/", { cookie: await signIn(), host: name })).status).toBe(403);
  });

  it("answers behind a tunnel's port", async () => {
    const cookie = await signIn();
    expect((await ask("/", { cookie, host: "localhost:9000" })).status).toBe(200);
    const socket = await open({ cookie, host: "localhost:9000", origin: "http://localhost:9000" });
    expect(socket).toBeInstanceOf(WebSocket);
    if (socket instanceof WebSocket) socket.terminate();
  });

  it("lets a browser that comes from another site try again from here", async () => {
    const elsewhere = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect(await ask("/", elsewhere)).toMatchObject({ status: 200, body: expect.stringContaining('content="0; url=/"') as string });
    expect((await ask("/assets/index-abc.js", elsewhere)).status).toBe(403);
    expect((await ask("/", { ...elsewhere, "sec-fetch-site": "same-origin" })).status).toBe(403);
  });

  it("is not there for other machines", async () => {
    const outside = Object.values(networkInterfaces()).flat().filter((address) => address && !address.internal && address.family === "IPv4");
    for (const address of [...outside.map((one) => one?.address ?? ""), "127.0.0.2"]) {
      const outcome = await new Promise<string>((resolve) => {
        const socket = connect({ host: address, port: server.port, timeout: 1000 });
        const end = (word: string) => {
          socket.destroy();
          resolve(word);
        };
        socket.on("connect", () => end("connected")).on("error", () => end("refused")).on("timeout", () => end("no answer"));
      });
      expect(outcome, address).not.toBe("connected");
    }
  });
});

describe("slow requests", () => {
  it.each([
    ["headers that do not end", "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "],
    ["a body that does not end", "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\nx"],
    ["a body in chunks that do not end", "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"],
    ["an upgrade whose headers do not end", "GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"],
  ])("are cut off: %s", async (_what, text) => {
    const slow = await startServer({ services, port: 0, rendererDir: join(folder, "renderer"), requestWithin: 100 });
    try {
      const socket = connect(slow.port, "127.0.0.1");
      socket.on("error", () => undefined).resume();
      socket.write(text);
      await new Promise((resolve) => socket.once("close", resolve));
    } finally {
      await slow.close();
    }
  });
});

describe("the socket", () => {
  it("refuses the wrong origin, the wrong host, no session and other paths", async () => {
    const cookie = await signIn();
    const origin = `http://${host}`;
    expect(await open({ cookie })).toBe(403);
    expect(await open({ cookie, origin: "https://example.org" })).toBe(403);
    expect(await open({ cookie, origin: `http://127.0.0.1:${server.port + 1}` })).toBe(403);
    expect(await open({ cookie, origin: "http://example.org", host: "example.org" })).toBe(403);
    expect(await open({ origin })).toBe(403);
    expect(await open({ origin, cookie: `${cookie}x` })).toBe(403);
    expect(await open({ origin, cookie }, "/other")).toBe(404);
    // The cookie alone, as another program on this machine may come to see it.
    expect(await open({ origin, cookie }, "/ws", [])).toBe(403);
    expect(await open({ origin, cookie }, "/ws", [socketProtocol, keyProtocol(`${key}x`)])).toBe(403);
    const allowed = await open({ origin, cookie });
    expect(allowed).toMatchObject({ protocol: socketProtocol });
  });

  it("answers requests through the one dispatcher", async () => {
    const socket = await openSocket();
    socket.send(JSON.stringify({ id: 7, name: "runs.list", input: {} }));
    expect(await nextMessage(socket)).toEqual({ id: 7, reply: { ok: true, value: [] } });
    socket.send(JSON.stringify({ id: "a", name: "runs.erase", input: {} }));
    expect(await nextMessage(socket)).toMatchObject({ id: "a", reply: { ok: false } });
    socket.send(JSON.stringify({ id: 8, name: "runs.get", input: { run: "../x" } }));
    expect(await nextMessage(socket)).toMatchObject({ id: 8, reply: { ok: false, error: { message: expect.any(String) as string } } });
    socket.send(JSON.stringify({ id: 9, name: "__proto__", input: {} }));
    expect(await nextMessage(socket)).toMatchObject({ id: 9, reply: { ok: false } });
    expect(services.calls).toEqual(["runs.list"]);
    socket.terminate();
  });

  it("reads files of the folders that it was limited to alone", async () => {
    const socket = await openSocket();
    const preview = (path: string) => {
      socket.send(JSON.stringify({ id: 1, name: "datasets.preview", input: { path } }));
      return nextMessage(socket);
    };
    expect(await preview(join(folder, "renderer", "index.html"))).toMatchObject({ reply: { ok: true } });
    for (const path of [join(folder, "secret.txt"), join(folder, "renderer", "..", "secret.txt"), "/etc/passwd"]) {
      expect(await preview(path)).toMatchObject({ reply: { ok: false, error: { message: expect.stringContaining("may not be read from this window; allowed are files in: data") as string } } });
    }
    expect(services.calls).toEqual(["datasets.preview"]);
    socket.terminate();
  });

  it("forwards events while it is open", async () => {
    const socket = await openSocket();
    const message = nextMessage(socket);
    services.emit("store.changed", { runs: [], studies: [] });
    expect(await message).toEqual({ event: "store.changed", payload: { runs: [], studies: [] } });
    expect(services.listeners()).toBeGreaterThan(0);
    const closed = closeCode(socket);
    await server.close();
    expect(await closed).toBe(1001);
    expect(services.listeners()).toBe(0);
  });

  it("reads no more requests of a window while many of its are worked on", async () => {
    let waiting: (() => void)[] = [];
    (services.handlers as Record<string, unknown>)["runs.list"] = () => {
      services.calls.push("runs.list");
      return new Promise<void>((resolve) => waiting.push(resolve));
    };
    const socket = await openSocket();
    const answered: unknown[] = [];
    socket.on("message", (data) => answered.push(JSON.parse(String(data))));
    // More than fits into what the system keeps for a connection.
    const padding = "x".repeat(10_000);
    for (let id = 0; id < 2_000; id++) socket.send(JSON.stringify({ id, name: "runs.list", input: {}, padding }));
    await expect.poll(() => services.calls.length).toBeGreaterThanOrEqual(64);
    expect(socket.bufferedAmount).toBeGreaterThan(0);
    const taken = services.calls.length;
    expect(taken).toBeLessThan(200);
    for (let rounds = 0; answered.length < 2_000 && rounds < 1_000; rounds++) {
      const now = waiting;
      waiting = [];
      for (const answer of now) answer();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(answered).toHaveLength(2_000);
    socket.terminate();
  });

  it("cuts off a window that asks and never reads", async () => {
    // Far more than the system takes in for a window that does not read.
    const much = "x".repeat(64 * 2 ** 20);
    (services.handlers as Record<string, unknown>)["runs.list"] = () => (services.calls.push("runs.list"), much);
    const socket = await openSocket();
    socket.pause();
    const ask = (id: number) => socket.send(JSON.stringify({ id, name: "runs.list", input: {} }));
    ask(1);
    await expect.poll(() => services.calls.length).toBe(1);
    ask(2);
    await expect.poll(() => services.calls.length).toBe(2);
    let received = 0;
    socket.on("message", () => received++);
    const closed = closeCode(socket);
    socket.resume();
    await closed;
    expect(received).toBe(0);
  });

  it("refuses lists that are too long or name something twice", async () => {
    const socket = await openSocket();
    const refused = async (input: unknown, name = "runs.delete") => {
      const message = nextMessage(socket);
      socket.send(JSON.stringify({ id: 1, name, input }));
      return ((await message) as { reply: { error: { message: string } } }).reply.error.message;
    };
    expect(await refused({ runs: new Array(40_000).fill("a") })).toContain("at most 1000 ids in one request");
    expect(await refused({ runs: ["a", "b", "a"] })).toContain("an id is there twice");
    expect(await refused({ studies: ["a", "a"] }, "studies.restore")).toContain("an id is there twice");
    expect(services.calls).toEqual([]);
    socket.terminate();
  });

  it.each([
    ["not JSON", "{", 1007],
    ["not an object", "[]", 1007],
    ["without an id", '{"name":"runs.list"}', 1007],
    ["binary", Buffer.from("{}"), 1003],
    ["too long", "x".repeat(maxMessageBytes + 1), 1009],
  ])("closes on a message that is %s", async (_what, message, code) => {
    const socket = await openSocket();
    socket.send(message);
    expect(await closeCode(socket)).toBe(code);
    expect(services.calls).toEqual([]);
  });
});

describe("starting", () => {
  it("names a port in use", async () => {
    const second = startServer({ services, port: server.port, rendererDir: folder });
    await expect(second).rejects.toThrow(UserError);
    await expect(second).rejects.toThrow(`port ${server.port}`);
  });

  it.each([-1, 65536, 1.5, NaN])("refuses %s for a port", async (port) => {
    await expect(startServer({ services, port, rendererDir: folder })).rejects.toThrow("is not a port");
  });

  it("makes a token of its own", async () => {
    const other = await startServer({ services, port: 0, rendererDir: folder });
    expect(new URL(other.url).searchParams.get("token")).toMatch(/^[\w-]{43}$/);
    await other.close();
  });
});

describe("downloads", () => {
  const wanted = { of: { study: "s1" }, file: "steps.csv", settings: pictureSettings.parse({}) };
  const path = downloadPath(wanted, "little-s1-steps.csv");

  it("are made by the services and saved under their name", async () => {
    const cookie = await signIn();
    const asked: unknown[] = [];
    services.reportFile = async (of) => {
      asked.push(of);
      return { filename: "little-s1-steps.csv", mediaType: "text/csv", pieces: ["a,b\n", Buffer.from("1,2\n")] };
    };
    const { status, headers, body } = await ask(path, { cookie });
    expect([status, body]).toEqual([200, "a,b\n1,2\n"]);
    expect(headers["content-disposition"]).toBe('attachment; filename="little-s1-steps.csv"');
    expect(headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(asked).toEqual([wanted]);
  });

  it("need a session, and a request that is one", async () => {
    const cookie = await signIn();
    expect((await ask(path)).status).toBe(403);
    expect((await ask("/download/nothing/x.csv", { cookie })).status).toBe(404);
    expect((await ask(`/download/${encodeURIComponent(JSON.stringify({ ...wanted, of: { study: "../x" } }))}/x.csv`, { cookie })).status).toBe(404);
    services.reportFile = () => Promise.reject(new UserError("There is no study s1."));
    const { status, body } = await ask(path, { cookie });
    expect([status, body]).toEqual([404, "There is no study s1.\n"]);
  });

  it("are sent while they are made, and end when the browser goes", async () => {
    const cookie = await signIn();
    let made = 0;
    let ended = false;
    services.reportFile = async () => ({
      filename: "long.csv",
      mediaType: "text/csv",
      pieces: {
        *[Symbol.iterator]() {
          try {
            for (;;) {
              made++;
              yield "x".repeat(65_536);
            }
          } finally {
            ended = true;
          }
        },
      },
    });
    await new Promise<void>((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: server.port, path, headers: { cookie } }, (response) => {
        response.once("data", () => {
          response.destroy();
          resolve();
        });
      });
      sent.on("error", reject).end();
    });
    await expect.poll(() => ended).toBe(true);
    expect(made).toBeLessThan(10_000);
  });
});
