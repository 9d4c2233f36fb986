/** A stand-in for `xdg-open`, through which Electron opens addresses on Linux: notes what it is given, and opens nothing. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface SystemOpener {
  /** Addresses that were opened, in order. */
  opened(): string[];
  forget(): void;
  remove(): void;
}

/** Puts it first on this process's PATH, which apps inherit that start later. */
export function standInForSystem(): SystemOpener {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-opener-"));
  const notes = join(folder, "opened");
  const program = join(folder, "xdg-open");
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$1" >> '${notes}'\n`);
  chmodSync(program, 0o755);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${folder}${delimiter}${before}`;
  return {
    opened: () => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []),
    forget: () => rmSync(notes, { force: true }),
    remove() {
      process.env["PATH"] = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
