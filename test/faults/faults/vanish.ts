/** The store's folder or file gets another name while a run is trained, and its own back. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { delay, type Fault } from "../frame.ts";
import { outlast, within } from "../shimmed.ts";

const vanish = (name: string, what: (store: string) => string): Fault => ({
  name,
  round: (frame, random) =>
    outlast(
      frame,
      random,
      (store) => {
        const path = what(store);
        let isGone = false;
        return {
          begin: async (command) => {
            // A program that finds no folder makes a new store there.
            if (!(await within(60_000, () => command.isOver() || command.lines.some(({ type }) => type === "started"))) || command.isOver()) return false;
            renameSync(path, `${path}.gone`);
            isGone = true;
            // The harness's hosts look every 0.1 s, twice.
            await delay(700);
            return !command.isOver();
          },
          end: () => {
            if (isGone) renameSync(`${path}.gone`, path);
            isGone = false;
          },
        };
      },
      false,
    ),
});

export const folderGone = vanish("folder-gone", (store) => store);
export const fileGone = vanish("file-gone", (store) => join(store, "hypertower.sqlite"));
