/** Files and links that the system hands to the app, kept until the window asks for them. */
import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { fileEnding, linkScheme, readLink, type Opening } from "../../shared/opening.ts";
import { maxDefinitionBytes } from "../../shared/sharing.ts";
import { hostLog } from "../logs/hostLog.ts";

/** Most files and links of one start, and most that wait for the window. */
const maxItems = 20;

/** Longest argument that is looked at. */
const maxArgument = 1_000_000;

/** Files and links among the arguments of a start. Chromium and Electron add switches of their own. */
export function itemsIn(args: readonly unknown[]): string[] {
  const texts = args.filter((one): one is string => typeof one === "string" && one.length <= maxArgument && !one.startsWith("-"));
  return texts.filter((one) => one.startsWith(`${linkScheme}:`) || one.toLowerCase().endsWith(fileEnding)).slice(0, maxItems);
}

/** What a file or link opens. A file is told by its content: JSON is an experiment or a study, a tar file an archive. */
export async function readItem(item: string, folder: string): Promise<Opening> {
  if (item.startsWith(`${linkScheme}:`)) return readLink(item);
  const path = resolve(folder, item);
  const name = basename(path);
  try {
    return await readFileItem(path, name);
  } catch (error) {
    return { kind: "problem", name, message: `${path} cannot be opened: ${messageOf(error)}` };
  }
}

async function readFileItem(path: string, name: string): Promise<Opening> {
  const file = await open(path, "r");
  try {
    const found = await file.stat();
    if (!found.isFile()) return { kind: "problem", name, message: `${path} is not a file.` };
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    if (bytesRead === 512 && head.toString("latin1", 257, 262) === "ustar") return { kind: "archive", name, path };
    if (!/^\uFEFF?\s*\{/.test(head.toString("utf8", 0, bytesRead))) {
      return { kind: "problem", name, message: `${path} is neither an archive of Hypertower nor an experiment or study as JSON.` };
    }
    if (found.size > maxDefinitionBytes) return { kind: "problem", name, message: `${path} has ${found.size} bytes; an experiment or study has at most ${maxDefinitionBytes}.` };
    const text = Buffer.alloc(found.size);
    await file.read(text, 0, text.length, 0);
    return { kind: "definition", name, text: text.toString("utf8") };
  } finally {
    await file.close();
  }
}

export class OpeningQueue {
  #waiting: Opening[] = [];
  /** Called when something waits. */
  onAdded: () => void = () => undefined;

  /** @param folder that relative paths are in */
  async add(items: readonly string[], folder: string): Promise<void> {
    for (const item of items) {
      const opening = await readItem(item, folder);
      if (opening.kind === "problem") hostLog.warn(`could not open a file or link: ${opening.message}`);
      if (this.#waiting.length < maxItems) this.#waiting.push(opening);
    }
    if (items.length > 0) this.onAdded();
  }

  /** What waits, once. */
  take(): Opening[] {
    const items = this.#waiting;
    this.#waiting = [];
    return items;
  }
}
