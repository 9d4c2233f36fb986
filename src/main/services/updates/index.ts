/** Updates that a person asks for: checks the feed, downloads and verifies a package. Installs nothing. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { compareVersions, type ReleaseFile, type UpdateState } from "../../../shared/updates.ts";
import { resourcePath } from "../../../core/resources/index.ts";
import { UserError } from "../services.ts";
import { limited, newestRelease, request, type UpdateSource } from "./feed.ts";

export type { UpdateSource } from "./feed.ts";

/** Milliseconds without a byte after which a download ends. */
const stall = 30_000;

/** Where this build's updates come from: packages of the app carry it, sources and npm packages do not. */
export function builtInSource(): UpdateSource | null {
  try {
    const { feed, key } = JSON.parse(readFileSync(join(dirname(resourcePath("datasets")), "updates.json"), "utf8")) as Record<string, unknown>;
    return typeof feed === "string" && typeof key === "string" ? { feed, key } : null;
  } catch {
    return null;
  }
}

export interface UpdatesOptions {
  readonly version: string;
  /** Folder that downloads go to. */
  readonly folder: string;
  readonly source?: UpdateSource | null;
  readonly platform?: string;
  readonly arch?: string;
}

export class Updates {
  readonly #version: string;
  readonly #folder: string;
  readonly #source: UpdateSource | null;
  readonly #system: { readonly platform: string; readonly arch: string };

  constructor({ version, folder, source = builtInSource(), platform = process.platform, arch = process.arch }: UpdatesOptions) {
    this.#version = version;
    this.#folder = folder;
    this.#source = source;
    this.#system = { platform, arch };
  }

  /** @throws UserError where the feed cannot be reached or believed */
  async check(): Promise<UpdateState> {
    if (!this.#source) return { current: this.#version, source: null, release: null };
    const { version, date, notes, page, files } = await newestRelease(this.#source);
    const state = { current: this.#version, source: new URL(this.#source.feed).host };
    // An older release is no update, however well it is signed.
    if (compareVersions(version, this.#version) <= 0) return { ...state, release: null };
    return { ...state, release: { version, date, notes, page, files: this.#fitting(files).map(({ name, bytes, form }) => ({ name, bytes, form })) } };
  }

  /** Downloads a package of the newest release. @throws UserError; nothing is left of a file that is not whole and genuine */
  async download(name: string): Promise<{ path: string }> {
    const source = this.#source;
    if (!source) throw new UserError("This build has no source of updates.");
    const release = await newestRelease(source);
    if (compareVersions(release.version, this.#version) <= 0) throw new UserError(`The newest release is ${release.version}; this is ${this.#version}.`);
    const file = this.#fitting(release.files).find((one) => one.name === name);
    if (!file) throw new UserError(`Version ${release.version} has no package ${name} for this system.`);
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, file.name);
    const part = `${path}.part`;
    try {
      await this.#fetch(source, file, part);
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      if (error instanceof UserError) throw error;
      throw new UserError(`${name} could not be downloaded: ${messageOf(error)}`, undefined, { cause: error });
    }
    return { path };
  }

  async #fetch(source: UpdateSource, { name, bytes, sha256 }: ReleaseFile, part: string): Promise<void> {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(new Error(`no data for ${stall / 1000} s`)), stall);
    const hash = createHash("sha256");
    let got = 0;
    const handle = await open(part, "w", 0o600);
    try {
      for await (const piece of limited(await request(source, name, stop.signal), name, bytes)) {
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(new Error(`no data for ${stall / 1000} s`)), stall);
        hash.update(piece);
        got += piece.length;
        await handle.writeFile(piece);
      }
      await handle.sync();
    } finally {
      clearTimeout(timer);
      await handle.close();
    }
    if (got !== bytes) throw new UserError(`${name} has ${got} bytes instead of ${bytes}; it was removed.`);
    if (hash.digest("hex") !== sha256) throw new UserError(`${name} does not have the signed checksum; it was removed.`);
  }

  #fitting(files: readonly ReleaseFile[]): ReleaseFile[] {
    return files.filter(({ platform, arch }) => platform === this.#system.platform && arch === this.#system.arch);
  }
}
