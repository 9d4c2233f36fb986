/** Downloads a dataset's Parquet files from the Hugging Face hub, for the import of a folder. */
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { splitNamed } from "../../shared/dataSplits.ts";
import { messageOf } from "../../shared/errors.ts";
import { dataFolder } from "../folders/folder.ts";
import { fileProblem } from "./digest.ts";
import { download, requireSpace, type DownloadOptions } from "./download.ts";
import type { DownloadProgress } from "./published.ts";

export interface HubAddress {
  /** `OWNER/NAME`. */
  readonly dataset: string;
  /** Branch, tag or commit; the hub's default branch where none is given. */
  readonly revision?: string;
  /** Named part of a dataset that holds several. */
  readonly config?: string;
}

/** Variable with the hub's base address, as the hub's own libraries name it. */
export const endpointVariable = "HF_ENDPOINT";
const publicEndpoint = "https://huggingface.co";

/** Revision where the hub keeps its own conversion of a dataset to Parquet. */
const converted = "refs/convert/parquet";
const maxFiles = 1_000;
const maxPages = 50;
/** An import holds the values in memory. */
export const maxHubBytes = 16 * 2 ** 30;

const form = "hf://OWNER/NAME, hf://OWNER/NAME/CONFIG, each with @REVISION after NAME, or https://huggingface.co/datasets/OWNER/NAME";
const segment = /^(?!\.+$)[\w.+=-]{1,200}$/;
const isSegment = (text: string) => segment.test(text);

/** The dataset that an address names; null for any other text. @throws Error where an address of the hub is malformed */
export function hubAddress(text: string): HubAddress | null {
  const short = /^hf:\/\/(?:datasets\/)?(.*?)\/*$/.exec(text)?.[1];
  const web = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/(.*?)\/*(?:[?#].*)?$/.exec(text)?.[1];
  if (short === undefined && web === undefined) return null;
  const malformed = new Error(`${text} names no dataset of the Hugging Face hub; the form is ${form}`);
  let parts = (short ?? web!).split("/");
  if (web !== undefined && parts.shift() !== "datasets") throw malformed;
  const [owner = "", named = "", ...rest] = parts;
  const [name = "", ...revisions] = named.split("@");
  let [revision, config]: (string | undefined)[] = [revisions[0], undefined];
  if (web !== undefined && rest[0] === "tree") [, revision, config, ...parts] = rest;
  // The viewer's address goes on with a split.
  else if (web !== undefined && rest[0] === "viewer") [config, parts] = [rest[1], []];
  else [config, ...parts] = rest;
  if (revision !== undefined) revision = revision.replace(/%2F/gi, "/");
  if (![owner, name].every(isSegment) || revisions.length > 1 || parts.length > 0) throw malformed;
  if (revision !== undefined && !revision.split("/").every(isSegment)) throw malformed;
  if (config !== undefined && !isSegment(config)) throw malformed;
  return { dataset: `${owner}/${name}`, ...(revision === undefined ? {} : { revision }), ...(config === undefined ? {} : { config }) };
}

/** What the hub says of a file; `lfs` has the SHA-256 of its content. */
const treeEntry = z.object({
  type: z.string(),
  path: z.string().max(1_000),
  size: z.number().int().nonnegative(),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).optional(),
});
const tree = z.array(treeEntry);

interface HubFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string | null;
}

function endpoint(): URL {
  const given = process.env[endpointVariable] || publicEndpoint;
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) throw new Error(`${endpointVariable} is ${given}; allowed is the http or https address of a hub, such as ${publicEndpoint}`);
  return new URL(given.replace(/\/*$/, "/"));
}

type HubOptions = Pick<DownloadOptions, "signal" | "fetch">;

/** Parquet files of a revision; null where the revision does not exist. @throws Error saying why the hub did not list them */
async function parquetFiles({ dataset }: HubAddress, revision: string, { signal, fetch: request = fetch }: HubOptions): Promise<HubFile[] | null> {
  const base = endpoint();
  const files: HubFile[] = [];
  let next: URL | null = new URL(`api/datasets/${dataset}/tree/${encodeURIComponent(revision)}?recursive=true`, base);
  for (let page = 0; next !== null; page++) {
    if (page === maxPages) throw new Error(`${dataset} has more files than the ${maxPages} pages of its list that are read`);
    const limit = AbortSignal.timeout(30_000);
    const response: Response = await request(next, { headers: { accept: "application/json" }, signal: signal ? AbortSignal.any([signal, limit]) : limit }).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : messageOf(error);
      throw new Error(`${base.origin} cannot be reached (${cause}); connect to the network, or download the Parquet files elsewhere and add their folder`, { cause: error });
    });
    if (response.status === 401 || response.status === 403) throw new Error(`${base.origin} refuses the files of ${dataset} (${response.status}): the dataset is private or gated, or there is none of this name; download its Parquet files with your account and add their folder`);
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`${base.origin} answered ${response.status} ${response.statusText} to the list of files of ${dataset}; try again later`);
    const parsed = tree.safeParse(await response.json().catch(() => null));
    if (!parsed.success) throw new Error(`${base.origin} sent no list of files of ${dataset} that can be read; check ${endpointVariable}`);
    for (const { type, path, size, lfs } of parsed.data) if (type === "file" && path.endsWith(".parquet")) files.push({ path, bytes: lfs?.size ?? size, sha256: lfs?.oid ?? null });
    const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    next = link === undefined ? null : new URL(link, base);
    if (next && next.origin !== base.origin) throw new Error(`${base.origin} continues its list of files at ${next.origin}, which is not followed`);
  }
  return files;
}

/** Name of the part of the dataset that a file belongs to: its folders, less those that name a split. */
const configOf = (path: string) => path.split("/").slice(0, -1).filter((folder) => splitNamed(folder) === null).join("/");

function chosen(files: readonly HubFile[], { dataset, config }: HubAddress): HubFile[] {
  const configs = [...new Set(files.map(({ path }) => configOf(path)))].sort();
  const wanted = config ?? (configs.length === 1 ? configs[0]! : undefined);
  const names = configs.map((name) => name || "(no folder)").join(", ");
  if (wanted === undefined) throw new Error(`${dataset} holds several datasets: ${names}; give one of them: hf://${dataset}/${configs.find((name) => name !== "")!}`);
  const found = files.filter(({ path }) => configOf(path) === wanted);
  if (found.length === 0) throw new Error(`${dataset} has no Parquet files in ${wanted}; it has: ${names}`);
  return found;
}

const localName = (name: string) => encodeURIComponent(name).replaceAll("~", "%7E");

/**
 * Downloads the Parquet files of a dataset, or resumes that, and gives their folder. The dataset's own Parquet files are taken, else the hub's conversion.
 * @throws Error saying what the hub refused, which file is wrong, or that there are no Parquet files
 */
export async function downloadHubDataset(
  address: HubAddress,
  { folder = dataFolder(), onProgress = () => undefined, maxBytes = maxHubBytes, ...options }: Omit<DownloadOptions, "onProgress"> & { folder?: string; maxBytes?: number; onProgress?: (progress: DownloadProgress) => void } = {},
): Promise<string> {
  const { dataset } = address;
  let revision = address.revision ?? "main";
  let files = await parquetFiles(address, revision, options);
  if (files === null) throw new Error(address.revision === undefined ? `${endpoint().origin} has no dataset ${dataset}; check its name` : `${endpoint().origin} has no dataset ${dataset} with the revision ${revision}; check both names`);
  if (files.length === 0 && address.revision === undefined) {
    revision = converted;
    files = (await parquetFiles(address, revision, options)) ?? [];
  }
  if (files.length === 0) throw new Error(`${dataset} has no Parquet files${address.revision === undefined ? ", and the hub has not converted it" : ` at ${revision}`}; download its files and add their folder`);
  const wanted = chosen(files, address);
  if (wanted.length > maxFiles) throw new Error(`${dataset} has ${wanted.length} Parquet files; at most ${maxFiles} are allowed`);
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw new Error(`${dataset} has ${Math.ceil(total / 2 ** 20)} MiB of Parquet files; at most ${Math.floor(maxBytes / 2 ** 20)} MiB are allowed: give one config, or download a part of the files and add their folder`);
  const own = join(folder, "hub", dataset.replace("/", "--"), encodeURIComponent(revision), encodeURIComponent(configOf(wanted[0]!.path)) || "_");
  const names = wanted.map(({ path }) => path.split("/").map(localName).join("~"));
  // Files of an earlier state of the revision are no part of the dataset.
  const kept = new Set(names.flatMap((name) => [name, `${name}.download.part`]));
  for (const name of await readdir(own).catch(() => [])) if (!kept.has(name)) await rm(join(own, name), { recursive: true });
  await requireSpace(own, total);
  let before = 0;
  for (const [i, { path, bytes, sha256 }] of wanted.entries()) {
    const name = names[i]!;
    const digest = sha256 === null ? null : (`sha256:${sha256}` as const);
    const isThere = digest !== null && (await fileProblem(join(own, name), { name, bytes, digest })) === null;
    if (!isThere) {
      const mirror = new URL(`datasets/${dataset}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`, endpoint());
      const temporary = join(own, `${name}.download`);
      await download({ name: path, bytes, digest, mirrors: [mirror.href] }, temporary, { ...options, onProgress: (done) => onProgress({ bytes: before + done, total }) });
      await rename(temporary, join(own, name));
    }
    before += bytes;
    onProgress({ bytes: before, total });
  }
  return own;
}
