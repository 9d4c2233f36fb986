/** Limits the files that a window may have read: those that a person chose in it, or those of a folder that the host was given. */
import { realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import { contract } from "../../shared/contract.ts";
import { isPathRequest, pathsIn } from "../../shared/pathRequests.ts";

export class FileAccess {
  /** Real paths: a link that is redirected later names another file. */
  readonly #granted = new Set<string>();
  readonly #remedy: string;

  /** @param remedy what a person can do about a refusal, as the end of a sentence */
  constructor(remedy: string) {
    this.#remedy = remedy;
  }

  /** Grants a file, or a folder with all that is in it. @throws Error when it does not exist */
  grant(path: string): void {
    this.#granted.add(realpathSync(path));
  }

  /** Why a request must not be answered; null when it names no file that is not granted. Whether a file exists is not told. */
  async refusal(name: unknown, input: unknown): Promise<string | null> {
    if (!isPathRequest(name)) return null;
    const parsed = contract.requests[name].input.safeParse(input);
    // dispatch() refuses what is not valid.
    if (!parsed.success) return null;
    for (const path of pathsIn(name, parsed.data)) {
      const real = await realpath(path).catch(() => null);
      if (real === null || !isAbsolute(path) || ![...this.#granted].some((granted) => isInside(real, granted))) return `${path} may not be read from this window; ${this.#remedy}`;
    }
    return null;
  }
}

function isInside(path: string, granted: string): boolean {
  const way = relative(granted, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
