/** Malformed frames and handshakes, each on a connection of its own: what only a broken or hostile client sends. */
import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { WebSocket } from "ws";
import { maxMessageBytes } from "../../src/main/headless/server/socket.ts";
import { keyProtocol, socketProtocol } from "../../src/shared/socket.ts";
import type { RandomJson } from "./randomJson.ts";

/** What opens a socket: the server's link, and the cookie and key of a session. */
export interface Session {
  readonly link: URL;
  readonly cookie: string;
  readonly key: string;
}

export async function openSocket({ link, cookie, key }: Session): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${link.host}/ws`, [socketProtocol, keyProtocol(key)], { headers: { cookie, origin: link.origin } });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return socket;
}

/** Sends one malformed message. @returns what is wrong with the answer, or null */
export async function sendMalformed(random: RandomJson, session: Session): Promise<string | null> {
  switch (random.below(5)) {
    case 0:
      return expectClose(session, notJson(random), 1007);
    case 1:
      return expectClose(session, notRequest(random), 1007);
    case 2:
      return expectClose(session, Buffer.from(Array.from({ length: random.below(2_000) }, () => random.below(256))), 1003);
    case 3:
      // Only some are large: each is a megabyte to send.
      return random.below(20) === 0 ? expectClose(session, "x".repeat(maxMessageBytes + 1), 1009) : expectClose(session, brokenFrame(random), 1002, "raw");
    default:
      return expectNoUpgrade(session, brokenHandshake(random, session));
  }
}

const notJson = (random: RandomJson): string => random.of(["", "{", "[1,", "nul", "{id:1}", "NaN", "\u0000", "🙂", "[".repeat(100_000), `{"id":1,"name":"runs.list","input":{}`, `${JSON.stringify(random.any())}x`]);

/** JSON of another form than {id, name, input}. */
function notRequest(random: RandomJson): string {
  const name = random.any();
  return JSON.stringify(random.of([null, 1, "x", [], {}, [{ id: 1 }], { name, input: {} }, { id: null, name }, { id: [1], name }, { id: {}, name }, { id: "x".repeat(65), name }, { id: true, name }]));
}

/** Bytes that no client may send: reserved opcodes or bits, no mask, a fragmented or long control frame, text that is not UTF-8. */
const brokenFrame = (random: RandomJson): Buffer =>
  random.of([
    Buffer.from([0x83, 0x80, 1, 2, 3, 4]),
    Buffer.from([0xf1, 0x80, 1, 2, 3, 4]),
    Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
    Buffer.from([0x09, 0x80, 1, 2, 3, 4]),
    Buffer.from([0x89, 0xfe, 0xff, 0xff, 1, 2, 3, 4]),
    Buffer.from([0x80, 0x80, 1, 2, 3, 4]),
    Buffer.from([0x88, 0x81, 0, 0, 0, 0, 0x03]),
  ]);

/** Whether the server closes the connection with `code` after `data`, or with no code where the bytes leave it no choice. */
async function expectClose(session: Session, data: string | Buffer, code: number, how: "message" | "raw" = "message"): Promise<string | null> {
  const socket = await openSocket(session);
  // A server that closes at once may cut off what is still being sent.
  socket.on("error", () => undefined);
  let answered: string | null = null;
  socket.on("message", (reply: Buffer) => {
    const text = reply.toString();
    if (!text.startsWith('{"event"')) answered = text.slice(0, 200);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  if (how === "message") socket.send(data);
  else (socket as unknown as { _socket: { write(bytes: string | Buffer): void } })._socket.write(data);
  const found = await closed;
  if (answered !== null) return `${shown(data)} was answered: ${String(answered)}`;
  return found === code ? null : `${shown(data)} closed the connection with ${found} instead of ${code}`;
}

/** A handshake that is wrong in one respect, as text. */
function brokenHandshake(random: RandomJson, { link, cookie, key }: Session): string {
  const headers: Record<string, string> = {
    host: link.host,
    origin: link.origin,
    cookie,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
    "sec-websocket-protocol": `${socketProtocol}, ${keyProtocol(key)}`,
  };
  const change = random.of<[string, string | null]>([
    ["host", "elsewhere.invalid"],
    ["host", null],
    ["origin", "https://elsewhere.invalid"],
    ["origin", "null"],
    ["cookie", null],
    ["cookie", `${cookie.slice(0, -4)}AAAA`],
    ["cookie", "=;=;;"],
    ["sec-websocket-protocol", socketProtocol],
    ["sec-websocket-protocol", keyProtocol("x".repeat(2_000))],
    ["sec-websocket-protocol", null],
    ["sec-websocket-key", "x"],
    ["sec-websocket-version", "99"],
  ]);
  const [name, value] = change;
  if (value === null) delete headers[name];
  else headers[name] = value;
  const path = random.below(8) === 0 ? random.of(["/", "/ws/", "/../ws", "/ws?x=1", "//elsewhere.invalid/ws"]) : "/ws";
  return `GET ${path} HTTP/1.1\r\n${Object.entries(headers).map(([header, text]) => `${header}: ${text}\r\n`).join("")}\r\n`;
}

async function expectNoUpgrade({ link }: Session, handshake: string): Promise<string | null> {
  const connection = createConnection({ host: link.hostname, port: Number(link.port) });
  let answer = "";
  connection.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  connection.on("error", () => undefined);
  const closed = new Promise((resolve) => connection.once("close", resolve));
  connection.write(handshake);
  await closed;
  return /^HTTP\/1\.1 4\d\d /.test(answer) ? null : `a handshake was answered with ${answer.slice(0, 80) || "nothing"}: ${handshake.slice(0, 300)}`;
}

const shown = (data: string | Buffer): string => (typeof data === "string" ? JSON.stringify(data.slice(0, 100)) : `bytes ${data.toString("hex").slice(0, 60)}`);
