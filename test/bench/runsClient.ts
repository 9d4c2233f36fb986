/** The window's side of `bench:runs`, in a process of its own: lists all runs over the WebSocket when told to, and reports changes. */
import { once } from "node:events";
import { WebSocket } from "ws";
import type { EventPayload, RequestInput, RequestOutput } from "../../src/shared/contract.ts";
import { nextPage, runsPerPage } from "../../src/shared/runPages.ts";

export interface ClientNews {
  readonly runs: number;
  readonly bytes: number;
  /** From the first request to the last reply, and to the first. */
  readonly milliseconds: number;
  readonly first: number;
}

type Incoming = { readonly id: number; readonly reply: { readonly value: RequestOutput<"runs.list"> } } | { readonly event: string; readonly payload: EventPayload<"runs.listed"> };

const host = `127.0.0.1:${process.argv[2]!}`;
const socket = new WebSocket(`ws://${host}/ws`, ["hypertower"], { origin: `http://${host}` });
const tell = (news: ClientNews) => process.send!(news);
let answered: (value: RequestOutput<"runs.list">) => void = () => undefined;
let bytes = 0;

socket.on("message", (data: Buffer) => {
  const message = JSON.parse(data.toString()) as Incoming;
  if ("reply" in message) {
    bytes += data.length;
    answered(message.reply.value);
  } else if (message.event === "runs.listed") tell({ runs: message.payload.length, bytes: data.length, milliseconds: 0, first: 0 });
});

function list(input: RequestInput<"runs.list">): Promise<RequestOutput<"runs.list">> {
  return new Promise((resolve) => {
    answered = resolve;
    socket.send(JSON.stringify({ id: 1, name: "runs.list", input }));
  });
}

process.on("message", () => void listAll());
async function listAll(): Promise<void> {
  const begin = performance.now();
  let first = 0;
  let runs = 0;
  bytes = 0;
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const page = await list({ limit: runsPerPage, ...(before && { before }) });
    first ||= performance.now() - begin;
    runs += page.length;
    before = nextPage(page);
  }
  tell({ runs, bytes, milliseconds: performance.now() - begin, first });
}

await once(socket, "open");
tell({ runs: 0, bytes: 0, milliseconds: 0, first: 0 });
