/** The store's folder or file gets another name while a run is trained, and its own back. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { delay, type Fault } from "../frame.ts";
import { outlast } from "../shimmed.ts";

const vanish = (name: string, what: (store: string) => string): Fault => ({
  name,
  round: (frame, random) =>
    outlast(
      frame,
      random,
      (store) => {
        const path = what(store);
        return {
          begin: async (command) => {
            renameSync(path, `${path}.gone`);
            // The harness's hosts look every 0.1 s, twice.
            await delay(700);
            return !command.isOver();
          },
          end: () => renameSync(`${path}.gone`, path),
        };
      },
      false,
    ),
});

export const folderGone = vanish("folder-gone", (store) => store);
export const fileGone = vanish("file-gone", (store) => join(store, "hypertower.sqlite"));
