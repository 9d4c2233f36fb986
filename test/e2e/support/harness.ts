/** What a scenario gets: a window on a workbench of its own, however it is hosted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";

export interface SavedFile {
  /** Name that the page or the host proposed. */
  readonly name: string;
  readonly path: string;
}

export interface Harness {
  /** The window; another one after restart(). */
  readonly page: Page;
  /** Folder of the store, fresh for each harness. */
  readonly storeDir: string;
  /** Ends the workbench, and starts it again on the same store. Killed, it has no time for anything. */
  restart(how?: "ended" | "killed"): Promise<void>;
  /** Desktop app: what is chosen in the next dialog for files. Missing in a browser, where paths are typed. */
  choosePath?(path: string): Promise<void>;
  /** Electron: the next file that the page saves. Missing in a browser, whose pages have an event for it. */
  nextDownload?(): Promise<SavedFile>;
  /** What went wrong in pages so far: errors, and violations of the content security policy. */
  readonly problems: readonly string[];
  /** What the workbench's process wrote. */
  log(): string;
  close(): Promise<void>;
}

export type StartHarness = () => Promise<Harness>;

/** Does something that saves a file, and returns the file. */
export async function savedBy(harness: Pick<Harness, "page" | "nextDownload">, act: () => Promise<unknown>): Promise<SavedFile> {
  const inPage = async (): Promise<SavedFile> => {
    const download = await harness.page.waitForEvent("download");
    return { name: download.suggestedFilename(), path: await download.path() };
  };
  const [saved] = await Promise.all([harness.nextDownload?.() ?? inPage(), act()]);
  return saved;
}

export function freshStore(): { storeDir: string; remove(): void } {
  const storeDir = mkdtempSync(join(tmpdir(), "hypertower-e2e-"));
  return { storeDir, remove: () => rmSync(storeDir, { recursive: true, force: true }) };
}

/** Collects what a page complains about; messages that `expected` matches are left out. */
export function watchProblems(page: Page, problems: string[]): void {
  page.on("pageerror", (error) => problems.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (/content security policy/i.test(text)) problems.push(text);
    else if (message.type() === "error" && !text.startsWith("Failed to load resource")) problems.push(`console: ${text}`);
  });
}

/** Opens a server's link, and comes to the workbench by way of the page that keeps the session's key. */
export async function followLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.waitForURL((url) => url.search === "");
}
