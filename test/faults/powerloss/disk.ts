/**
 * A disk that loses power: files and names as the program sees them, and what of it is durable. A file's
 * content is durable after a sync of the file, a name after a sync of its folder. Everything else may or may
 * not have reached the disk, and a write may have reached it in part, by sectors of 512 bytes.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Entry } from "./recording.ts";

const sectorSize = 512;

type Change = { readonly at: number; readonly data: Buffer } | { readonly size: number };

/** Content of a file; grows by doubling. */
class Content {
  #bytes = Buffer.alloc(0);
  #length = 0;

  apply(change: Change): void {
    if ("size" in change) {
      this.#reserve(change.size);
      this.#bytes.fill(0, Math.min(this.#length, change.size), Math.max(this.#length, change.size));
      this.#length = change.size;
    } else {
      const end = change.at + change.data.length;
      this.#reserve(end);
      change.data.copy(this.#bytes, change.at);
      this.#length = Math.max(this.#length, end);
    }
  }

  /** A copy with some more changes. */
  with(changes: readonly Change[]): Buffer {
    const copy = new Content();
    copy.apply({ at: 0, data: this.#bytes.subarray(0, this.#length) });
    for (const change of changes) copy.apply(change);
    return copy.#bytes.subarray(0, copy.#length);
  }

  /** Bytes behind the length are 0. */
  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(size, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

class DiskFile {
  readonly durable = new Content();
  readonly pending: Change[] = [];

  sync(): void {
    for (const change of this.pending.splice(0)) this.durable.apply(change);
  }
}

class DiskFolder {
  readonly live = new Map<string, DiskNode>();
  readonly durable = new Map<string, DiskNode>();
}

type DiskNode = DiskFile | DiskFolder;

/** A change of names that may not be durable yet. Renames concern two folders. */
interface NameChange {
  readonly folders: readonly DiskFolder[];
  readonly apply: (names: (folder: DiskFolder) => Map<string, DiskNode>) => void;
}

const durableNames = (folder: DiskFolder) => folder.durable;
const liveNames = (folder: DiskFolder) => folder.live;

export class Disk {
  readonly #root: string;
  readonly #top = new DiskFolder();
  readonly #inodes = new Map<bigint, DiskFile>();
  #names: NameChange[] = [];

  /** @param root an existing, empty folder when the recording began; its own name is durable */
  constructor(root: string) {
    this.#root = root;
  }

  apply({ kind, inode, offset, path, target, data }: Entry): void {
    if (kind === "said") return;
    if (kind === "created" || kind === "opened") {
      const known = this.#find(path);
      if (known instanceof DiskFile && kind === "opened") this.#inodes.set(inode, known);
      else if (kind === "created") {
        const file = new DiskFile();
        this.#inodes.set(inode, file);
        this.#enter(path, file);
      } else throw new Error(`${path} was opened and is not on the recorded disk`);
    } else if (kind === "written") this.#file(inode, path).pending.push({ at: offset, data });
    else if (kind === "resized") this.#file(inode, path).pending.push({ size: offset });
    else if (kind === "synced") this.#sync(inode, path);
    else if (kind === "folder") this.#enter(path, new DiskFolder());
    else if (kind === "linked") this.#enter(target, this.#find(path)!);
    else if (kind === "removed") {
      const [folder, name] = this.#place(path);
      this.#change({ folders: [folder], apply: (names) => void names(folder).delete(name) });
    } else {
      const [from, old] = this.#place(path);
      const [to, name] = this.#place(target);
      const node = from.live.get(old)!;
      this.#change({
        folders: [from, to],
        apply: (names) => {
          if (names(from).get(old) === node) names(from).delete(old);
          names(to).set(name, node);
        },
      });
    }
  }

  /** Writes the disk as the program saw it. */
  writeLive(to: string): void {
    write(this.#top, to, liveNames, (file) => file.durable.with(file.pending));
  }

  /** Writes the disk as it may be found after a power cut now. The recording can go on afterwards. */
  writeCut(to: string, random: () => number): void {
    const names = new Map<DiskFolder, Map<string, DiskNode>>();
    const namesOf = (folder: DiskFolder) => {
      let found = names.get(folder);
      if (!found) names.set(folder, (found = new Map(folder.durable)));
      return found;
    };
    for (const change of chosen(this.#names, random)) change.apply(namesOf);
    write(this.#top, to, namesOf, (file) => file.durable.with(chosen(file.pending, random).flatMap((change) => torn(change, random))));
  }

  #sync(inode: bigint, path: string): void {
    const node = this.#find(path);
    if (!(node instanceof DiskFolder)) return this.#file(inode, path).sync();
    this.#names = this.#names.filter((change) => {
      if (!change.folders.includes(node)) return true;
      change.apply(durableNames);
      return false;
    });
  }

  #file(inode: bigint, path: string): DiskFile {
    const file = this.#inodes.get(inode);
    if (!file) throw new Error(`${path} was changed and is not on the recorded disk`);
    return file;
  }

  #enter(path: string, node: DiskNode): void {
    const [folder, name] = this.#place(path);
    this.#change({ folders: [folder], apply: (names) => void names(folder).set(name, node) });
  }

  #change(change: NameChange): void {
    change.apply(liveNames);
    this.#names.push(change);
  }

  #place(path: string): [folder: DiskFolder, name: string] {
    const folder = this.#find(dirname(path));
    if (!(folder instanceof DiskFolder)) throw new Error(`the folder of ${path} is not on the recorded disk`);
    return [folder, basename(path)];
  }

  #find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#top;
    for (const name of relative(this.#root, path).split(sep)) {
      if (name === "") continue;
      if (!(node instanceof DiskFolder)) return undefined;
      node = node.live.get(name);
    }
    return node;
  }
}

/** Changes that reached the disk: all, none, a first part (as with a journal), or any of them. */
function chosen<T>(changes: readonly T[], random: () => number): readonly T[] {
  const way = random();
  if (way < 0.15) return changes;
  if (way < 0.3) return [];
  if (way < 0.6) return changes.slice(0, Math.floor(random() * (changes.length + 1)));
  return changes.filter(() => random() < 0.5);
}

/** The sectors of a write that reached the disk; most writes are whole. */
function torn(change: Change, random: () => number): Change[] {
  if ("size" in change || random() < 0.7) return [change];
  const parts: Change[] = [];
  for (let from = 0; from < change.data.length; ) {
    const to = Math.min(change.data.length, from + sectorSize - ((change.at + from) % sectorSize));
    if (random() < 0.5) parts.push({ at: change.at + from, data: change.data.subarray(from, to) });
    from = to;
  }
  return parts;
}

function write(folder: DiskFolder, to: string, names: (folder: DiskFolder) => Map<string, DiskNode>, content: (file: DiskFile) => Buffer): void {
  mkdirSync(to, { recursive: true });
  for (const [name, node] of names(folder)) {
    if (node instanceof DiskFolder) write(node, join(to, name), names, content);
    else writeFileSync(join(to, name), content(node));
  }
}

/** Every file below a folder with its content. What several processes share in memory (-shm) is left out. */
export function filesBelow(folder: string, at = folder, found = new Map<string, Buffer | null>()): Map<string, Buffer | null> {
  for (const name of readdirSync(at).sort()) {
    const path = join(at, name);
    if (statSync(path).isDirectory()) {
      found.set(relative(folder, path), null);
      filesBelow(folder, path, found);
    } else if (!name.endsWith("-shm")) found.set(relative(folder, path), readFileSync(path));
  }
  return found;
}
