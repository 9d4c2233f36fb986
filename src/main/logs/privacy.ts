/** Takes private things out of texts: paths, names of people, machines, runs and datasets, addresses, quoted texts. */
import { resolve } from "node:path";

export interface PrivateThings {
  /** Folders by the word that replaces them. The rest of a path is dropped with them, except in `app` and for files that Hypertower names. */
  readonly folders: Readonly<Partial<Record<FolderWord, readonly string[]>>>;
  readonly user: string;
  readonly host: string;
}

export type FolderWord = "app" | "store" | "dataset" | "home" | "temp";

/** Finds names of runs, studies and datasets that a text contains. */
export type FindNames = (text: string) => readonly string[];

/** Stand for a folder, and for what is kept as it is, while a text is searched; removed from the text first. */
const [open, close, kept] = ["\uE000", "\uE001", "\uE002"];
const marker = /^\uE000(\w+)\uE001/;
/** Where a path begins: at a folder that is known, a drive, a share, a root. */
const pathStart = /(?:file:\/{2,3})?\uE000\w+\uE001|file:\/\/|(?<![\w.])[A-Za-z]:[\\/]|(?<![\w:.\\])\\\\(?=\w)|(?<![\w.)>/])\/(?=[^\s/])|(?<![\w.)>/:])\/\/(?=\w)|(?<![\w.])~[\\/]/gu;
const quoted = /"(?:[^"\\\n]|\\.)*(?:"|$)|“[^”\n]*(?:”|$)|`[^`\n]*`|(?<![\p{L}\p{N}])'[^'\n]*'(?![\p{L}\p{N}])/gmu;
/** Quoted words that belong to the program, Node or SQLite. */
const ownWords = /^(?:SQLITE_[A-Z_]+|E[A-Z]{2,}|ERR_[A-Z_]+|SIG[A-Z]+|hypertower|better-sqlite3|onnxruntime-node|electron)$/;
/** Slashes that belong to no path of a person. */
const harmlessSlash = /^(?:\d+\/\d+|I\/O|(?:and|read|train)\/\w+|(?:text|application|image)\/[\w.+-]+|node:[\w/:.-]+)$/;
const dataFile = /\.(?:csv|tsv|txt|npy|npz|idx|gz|tgz|tar|zip|json|jsonl|xlsx?|parquet|pkl|png|jpe?g|webp|gif|tiff?|bmp|onnx|pt|hypertower)(?![\p{L}\p{N}])/iu;
const ownFiles = /^(?:package|integrity|mark|moved|place)\.json/;
/** What is kept of a path below a folder: the names that Hypertower itself gives. */
const ownPaths: Readonly<Record<string, RegExp>> = {
  app: /^(?:[\\/](?:out|src|bin|node_modules|scripts|resources|test|app\.asar)(?![^\\/:])[\w@.+\\/:-]*)?$/,
  store: /^(?:[\\/](?:hypertower\.sqlite(?:-wal|-shm|-journal)?|integrity\.json|moved\.json|(?:checkpoints|weights|hosts|logs|backups)(?:[\\/][\w-]+\.(?:checkpoint|weights|lock|jsonl|sqlite|part|pending))?))?$/,
  path: /^$/,
};

/** Maximum length of a text; searching costs time. */
const maxLength = 16_000;

export class Privacy {
  readonly #folders: readonly { readonly word: FolderWord; readonly pattern: RegExp }[];
  readonly #names: readonly { readonly word: string; readonly pattern: RegExp }[];
  #find: FindNames = () => [];

  constructor({ folders, user, host }: PrivateThings) {
    this.#folders = (Object.entries(folders) as [FolderWord, readonly string[]][])
      .flatMap(([word, all]) => all.filter((path) => path.length > 1).map((path) => ({ word, path: path.replace(/[\\/]+$/, "") })))
      .toSorted((a, b) => b.path.length - a.path.length)
      .map(({ word, path }) => ({ word, pattern: new RegExp(`(?:${spellings(path).map(escaped).join("|")})(?![\\p{L}\\p{N}_-])`, process.platform === "linux" ? "gu" : "giu") }));
    this.#names = [
      { word: "<user>", names: [user] },
      { word: "<host>", names: [host, host.split(".")[0]!] },
    ].flatMap(({ word, names }) => names.filter((name) => name.length > 1 && name !== "localhost").map((name) => ({ word, pattern: wholeWord(name) })));
  }

  /** Names that a text may contain; `find` may throw, then names go only where they are quoted. */
  set names(find: FindNames) {
    this.#find = find;
  }

  /** @param known paths that the text contains, as a failed call names them */
  clean(text: string, known: readonly string[] = []): string {
    let cleaned = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
    cleaned = cleaned.replaceAll(/[\uE000-\uE002]/g, "");
    // What was cleaned before stays as it is.
    cleaned = cleaned.replaceAll(/<(app|store|dataset|home|temp|path)>/g, `${open}$1${close}`);
    const names = this.#namesIn(cleaned);
    for (const { word, pattern } of this.#folders) cleaned = cleaned.replaceAll(pattern, `${open}${word}${close}`);
    for (const path of known) if (path.length > 2) cleaned = cleaned.replaceAll(this.#marked(path), (found) => (this.#isOwn(found) ? found : `${open}path${close}`));
    cleaned = cleaned.replaceAll(/\b(?:https?|wss?):\/\/[^\s"“”<>]+/gi, "<url>");
    const own: string[] = [];
    const keep = (part: string) => `${kept}${own.push(part) - 1}${kept}`;
    cleaned = cleaned.replaceAll(quoted, (found) => quotedWord(found, keep));
    for (const name of names) cleaned = cleaned.replaceAll(wholeWord(name), "<name>");
    cleaned = withoutPaths(cleaned, keep);
    for (const { word, pattern } of this.#names) cleaned = cleaned.replaceAll(pattern, word);
    cleaned = cleaned.replaceAll(/\b(token|key|password|secret|authorization|cookie)([=:]\s*)[^\s"“”<>,;]+/gi, "$1$2<secret>");
    cleaned = cleaned.replaceAll(/[^\s"“”<>|(),;\uE002]+/gu, withoutToken);
    return cleaned.replaceAll(/\uE002(\d+)\uE002/g, (_all, index: string) => own[Number(index)] ?? "");
  }

  #isOwn(marked: string): boolean {
    const word = marker.exec(marked)?.[1] ?? "";
    return ownPaths[word]?.test(marked.slice(marked.indexOf(close) + 1)) ?? false;
  }

  /** The path as it reads once folders are marked. */
  #marked(path: string): string {
    return this.#folders.reduce((all, { word, pattern }) => all.replaceAll(pattern, `${open}${word}${close}`), path);
  }

  #namesIn(text: string): readonly string[] {
    try {
      return this.#find(text).filter((name) => name.trim().length > 1).toSorted((a, b) => b.length - a.length);
    } catch {
      return [];
    }
  }
}

type Keep = (part: string) => string;

function quotedWord(found: string, keep: Keep): string {
  const content = found.length > 1 ? found.slice(1, -1) : found;
  if (ownWords.test(content)) return keep(found);
  pathStart.lastIndex = 0;
  return pathStart.exec(content)?.index === 0 ? `'${withoutPaths(content, keep)}'` : "<text>";
}

/** Own paths stay. Of any other, only the folder does: where it ends among the words that follow cannot be known, so the line ends with it. */
function withoutPaths(text: string, keep: Keep): string {
  let result = "";
  let at = 0;
  for (;;) {
    pathStart.lastIndex = at;
    const found = pathStart.exec(text);
    if (!found) return result + text.slice(at);
    result += text.slice(at, found.index);
    const word = marker.exec(found[0].replace(/^file:\/+/, ""))?.[1] ?? "";
    const begin = found.index + found[0].length;
    const rest = /^[^\s"“”<>|]*/u.exec(text.slice(begin))![0];
    const path = rest.replace(/[.,;:)'\]…]+$/, "");
    if (ownPaths[word]?.test(path)) {
      result += keep(`<${word}>${path.replaceAll("\\", "/")}`);
      at = begin + path.length;
      continue;
    }
    const end = /["“”\n]|$/u.exec(text.slice(begin))!.index;
    result += `<${word === "" ? "path" : word}>`;
    at = begin + end;
  }
}

/** A word with separators, a data file's ending, an address or a key in it. */
function withoutToken(token: string): string {
  if (/[\\/]/.test(token) && !harmlessSlash.test(token)) return /^own\//.test(token) ? "<dataset>" : "<path>";
  if (dataFile.test(token) && !ownFiles.test(token)) return "<file>";
  const at = token.indexOf("@");
  if (at > 0 && token.includes(".", at)) return "<email>";
  if (/^\d{1,3}(?:\.\d{1,3}){3}(?!\d)/.test(token) && !token.startsWith("127.0.0.1")) return "<address>";
  return token.replaceAll(/[A-Za-z0-9_-]{40,}/g, "<secret>");
}

const escaped = (text: string) => text.replaceAll(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");

function wholeWord(name: string): RegExp {
  const letter = "[\\p{L}\\p{N}_]";
  return new RegExp(`(?<!${letter})${escaped(name)}(?!${letter})`, "giu");
}

/** A folder as messages spell it: either slash, doubled in JSON, percent-encoded in addresses, composed or decomposed. */
function spellings(path: string): string[] {
  const found = new Set<string>();
  for (const form of [path, resolve(path), path.normalize("NFC"), path.normalize("NFD")]) {
    for (const slashed of [form, form.replaceAll("\\", "/"), form.replaceAll("\\", "\\\\")]) {
      found.add(slashed);
      found.add(encodeURI(slashed));
      found.add(slashed.split("/").map(encodeURIComponent).join("/"));
      found.add(JSON.stringify(slashed).slice(1, -1));
    }
  }
  return [...found].toSorted((a, b) => b.length - a.length);
}
