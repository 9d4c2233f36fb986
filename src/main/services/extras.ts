/** Optional packages: what is there, and one installation at a time. */
import { extrasFolder } from "../../core/extras/index.ts";
import type { EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { extraFacts, extraNames, pathsOf, type ExtraName, type ExtraProgress, type ExtraStates } from "../../shared/extras/index.ts";
import { installExtra, listExtras, removeExtra } from "../extras/installer.ts";
import type { RunScript } from "../extras/runProgram.ts";
import { UserError } from "./services.ts";

export interface ExtrasOptions {
  readonly onWorking: (working: ExtraProgress | null) => void;
  /** By default in this process's Node. */
  readonly runScript?: RunScript | undefined;
  /** Looks for engines anew whose packages came or went. */
  readonly recheck: (kinds: readonly EngineKind[]) => Promise<void>;
}

/** Engines whose packages come or go with an extra: its own, and those of extras that it includes. */
function enginesOf(name: ExtraName): EngineKind[] {
  const included = extraNames.filter((other) => pathsOf[other].every((path) => pathsOf[name].includes(path)));
  return [...new Set(included.flatMap((other) => extraFacts[other].engines))];
}

/** Milliseconds between two reports of progress. */
const interval = 200;

export class Extras {
  readonly #options: ExtrasOptions;
  #working: { readonly abort: AbortController; progress: ExtraProgress; ended: Promise<void> } | null = null;
  #toldAt = 0;

  constructor(options: ExtrasOptions) {
    this.#options = options;
  }

  async list(): Promise<ExtraStates> {
    return { extras: await listExtras(), working: this.#working?.progress ?? null, folder: extrasFolder() };
  }

  /** @throws UserError when another one is being installed, when it fails, or when it is canceled */
  async install(name: ExtraName): Promise<ExtraStates> {
    if (this.#working) throw new UserError(`${extraFacts[this.#working.progress.name].title} is being installed; wait until it is done, or cancel it.`);
    const abort = new AbortController();
    const installing = installExtra(name, { signal: abort.signal, onProgress: (progress) => this.#tell(progress), ...(this.#options.runScript && { runScript: this.#options.runScript }) });
    const ended = installing.then(
      () => undefined,
      () => undefined,
    );
    this.#working = { abort, progress: { name, doing: "downloading", done: null, total: null }, ended };
    try {
      await installing;
    } catch (error) {
      if (abort.signal.aborted) throw new UserError(`The installation of ${extraFacts[name].title} was canceled; nothing of it stays.`, undefined, { cause: error });
      throw new UserError(`${extraFacts[name].title} was not installed: ${messageOf(error)}`, undefined, { cause: error });
    } finally {
      this.#working = null;
      this.#options.onWorking(null);
    }
    await this.#options.recheck(enginesOf(name));
    return this.list();
  }

  /** @returns whether something was being installed */
  async cancel(): Promise<boolean> {
    const working = this.#working;
    working?.abort.abort();
    await working?.ended;
    return working !== null;
  }

  /** @throws UserError when it is not installed, or a file is in use */
  async remove(name: ExtraName): Promise<ExtraStates> {
    if (this.#working) throw new UserError(`${extraFacts[this.#working.progress.name].title} is being installed; wait until it is done, or cancel it.`);
    await removeExtra(name).catch((error: unknown) => {
      throw new UserError(`${extraFacts[name].title} was not removed: ${messageOf(error)}`, undefined, { cause: error });
    });
    await this.#options.recheck(enginesOf(name));
    return this.list();
  }

  #tell(progress: ExtraProgress): void {
    if (!this.#working) return;
    const another = progress.doing !== this.#working.progress.doing;
    this.#working.progress = progress;
    if (!another && Date.now() - this.#toldAt < interval) return;
    this.#toldAt = Date.now();
    this.#options.onWorking(progress);
  }
}
