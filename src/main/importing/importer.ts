/**
 * Entry of a process that does one import job and exits: `importer MEMORY`, in bytes. Whatever the files make of it (no
 * memory left, a crash of a decoder, no end), the host goes on. A thread ends the process at the limit or without a parent.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { messageOf } from "../../shared/errors.ts";
import { watchMemory } from "./memoryWatch.ts";
import type { FromImporter, ToImporter } from "./messages.ts";

/** Minimum milliseconds between two progress messages. */
const reportEvery = 100;

/** Electron's addition to `process` in a utility process. */
interface ParentPort {
  postMessage(message: FromImporter): void;
  on(event: "message", listener: (event: { readonly data: ToImporter }) => void): void;
}

interface Port {
  receive(listener: (message: ToImporter) => void): void;
  send(message: FromImporter): void;
  /** Sends the last message and exits once it is sent. */
  end(message: FromImporter): void;
}

function openPort(): Port {
  const { parentPort } = process as NodeJS.Process & { readonly parentPort?: ParentPort };
  if (parentPort) {
    return {
      receive: (listener) => parentPort.on("message", ({ data }: { readonly data: ToImporter }) => listener(data)),
      send: (message) => parentPort.postMessage(message),
      end: (message) => {
        parentPort.postMessage(message);
        setTimeout(() => process.exit(0), 200);
      },
    };
  }
  if (!process.send) {
    process.stderr.write("hypertower: the importer is started by the workbench or the command line, not by hand\n");
    process.exit(2);
  }
  process.on("disconnect", () => process.exit(0));
  return {
    receive: (listener) => process.on("message", (message) => listener(message as ToImporter)),
    send: (message) => void process.send!(message),
    end: (message) => void process.send!(message, () => process.exit(0)),
  };
}

function serve(): void {
  // A terminal signals the whole process group; the host decides what becomes of its imports.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  const limit = Number(process.argv[2]);
  new Worker(new URL(import.meta.url), { workerData: { limit, parent: process.ppid } }).unref();
  const port = openPort();
  const stop = new AbortController();
  port.receive((message) => {
    if (message.type === "stop") stop.abort();
    else void work(message, port, stop.signal);
  });
}

async function work({ job }: Extract<ToImporter, { type: "start" }>, port: Port, signal: AbortSignal): Promise<void> {
  let reported = -Infinity;
  try {
    // Loaded here: the thread that watches the memory needs none of it.
    const { runJob } = await import("./jobs.ts");
    const value = await runJob(job, {
      signal,
      onNews: (news) => port.send({ type: "news", news }),
      onProgress: (progress) => {
        if (performance.now() - reported < reportEvery) return;
        reported = performance.now();
        port.send({ type: "progress", progress });
      },
    });
    port.end({ type: "done", value });
  } catch (error) {
    port.end({ type: "failed", message: messageOf(error) });
  }
}

if (isMainThread) serve();
else watchMemory(workerData as { limit: number; parent: number });
