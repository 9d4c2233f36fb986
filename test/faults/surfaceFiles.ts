/** What requests may have written: files of a store, and nothing elsewhere. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const inStore = /^(?:hypertower\.sqlite(?:-wal|-shm)?|(?:integrity|mark|storage|retention)\.json|(?:checkpoints|weights|hosts|logs|window|backups|salvaged)(?:\/.*)?)$/;

/** Files in `home`, `data` and `store` of a folder that no request of the contract makes, given that none was valid and costly. */
export function unexpectedFiles(folder: string): string[] {
  const list = (name: string) => readdirSync(join(folder, name), { recursive: true, encoding: "utf8" });
  return [
    // ONNX Runtime itself keeps an id of the device there.
    ...list("home").filter((name) => !/^\.cache(?:\/Microsoft(?:\/.*)?)?$/.test(name)).map((name) => `home/${name} was written`),
    ...list("data").filter((name) => name !== "own").map((name) => `data/${name} was written`),
    ...list("store").filter((name) => !inStore.test(name)).map((name) => `store/${name} was written`),
  ];
}
