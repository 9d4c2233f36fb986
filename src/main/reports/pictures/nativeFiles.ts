/** Files of the program for native code. In a packaged app they lie in an archive, `app.asar`, that only JavaScript can read. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const copies = new Map<string, string>();
let folder: string | undefined;

/** A path from which native code can read the file: its own, the one beside the archive, or a copy that goes with this process. */
export function nativePath(path: string): string {
  if (!/\.asar[\\/]/.test(path)) return path;
  const unpacked = path.replace(/\.asar(?=[\\/])/, ".asar.unpacked");
  if (existsSync(unpacked)) return unpacked;
  let copy = copies.get(path);
  // The system may empty the temporary folder meanwhile.
  if (copy === undefined || !existsSync(copy)) {
    copy = join(temporaryFolder(), basename(path));
    writeFileSync(copy, readFileSync(path));
    copies.set(path, copy);
  }
  return copy;
}

function temporaryFolder(): string {
  if (folder === undefined || !existsSync(folder)) {
    const made = (folder = mkdtempSync(join(tmpdir(), "hypertower-fonts-")));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}
