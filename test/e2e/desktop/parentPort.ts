/** Loaded before a trainer: gives it the side of a MessagePort that an Electron utility process has. */
import { EventEmitter } from "node:events";

class ParentPort extends EventEmitter {
  postMessage(message: unknown): void {
    send(message);
  }
}

const send = process.send?.bind(process) ?? (() => undefined);
const port = new ParentPort();
process.on("message", (data) => port.emit("message", { data, ports: [] }));
process.on("disconnect", () => process.exit());
Object.defineProperty(process, "parentPort", { value: port });
// A utility process has no channel of Node's.
Object.defineProperty(process, "send", { value: undefined });
