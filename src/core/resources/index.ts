/** Files that come with the program, under `resources`: bundled data and fonts. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder `resources`: above the sources, what is built of them, and the code of an installed package or app alike.
 * @param from folder of the module that runs
 * @throws Error where the installation has none
 */
export function findResources(from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "resources");
    // A desktop app may lie in a folder of that name itself.
    if (existsSync(join(folder, "datasets")) && existsSync(join(folder, "fonts"))) return folder;
    if (at === dirname(at)) throw new Error(`the folder resources is missing above ${from}: install Hypertower again`);
  }
}

let folder: string | undefined;

/** Path of a file or folder under `resources`. @throws Error where the installation has none of that name */
export function resourcePath(...parts: readonly string[]): string {
  const path = join((folder ??= findResources(import.meta.dirname)), ...parts);
  if (!existsSync(path)) throw new Error(`${path} is missing: install Hypertower again`);
  return path;
}
