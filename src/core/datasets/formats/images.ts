/** Reads folders of images, one subfolder per class. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type * as Sharp from "sharp";
import { splitNamed, type SplitName } from "../../../shared/dataSplits.ts";
import { messageOf } from "../../../shared/errors.ts";
import { requireExtra } from "../../extras/index.ts";

export interface ImageFolderOptions {
  /** Every image is stretched to this size. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

const endings = new Set([".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"]);

/** Maximum pixels of an image before it is scaled. */
const maxPixels = 100_000_000;
/** Maximum pixels of a side: a decoder takes memory for all of an absurd one, before it finds that the file has no more to give. */
const maxSide = 65_535;
/** Maximum images of a folder. */
const maxImages = 2_000_000;

let decoder: typeof Sharp.default | undefined;

/** The decoder, which is an extra. @throws ExtraMissing */
function loadDecoder(): typeof Sharp.default {
  if (decoder) return decoder;
  const sharp = requireExtra<typeof Sharp.default>("sharp");
  // Files are decoded by their contents, not their names: no other decoders are allowed, above all none for SVG and PDF.
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: ["Png", "Jpeg", "Webp", "Nsgif", "Tiff", "Heif"].map((format) => `VipsForeignLoad${format}`) });
  return (decoder = sharp);
}

/** Follows links. Excludes a named pipe, which would block the reader. */
const isFile = async (entry: Dirent, folder: string) => entry.isFile() || (entry.isSymbolicLink() && (await stat(join(folder, entry.name)).catch(() => null))?.isFile() === true);

/** The path of an image, or its encoded bytes with a name for messages. */
export type ImageSource = string | { readonly name: string; readonly data: Uint8Array };

const nameOf = (source: ImageSource) => (typeof source === "string" ? source : source.name);
const dataOf = (source: ImageSource) => (typeof source === "string" ? source : source.data);

export interface ImageClass {
  readonly name: string;
  readonly files: readonly string[];
}

/** Classes of a folder sorted by name, without those that have no image. @throws Error when there are fewer than `least` */
export async function imageClasses(folder: string, least = 2): Promise<ImageClass[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name).sort();
  const classes = await Promise.all(
    names.map(async (name) => {
      const found = await readdir(join(folder, name), { withFileTypes: true });
      const named = found.filter((entry) => endings.has(extname(entry.name).toLowerCase())).sort((a, b) => (a.name < b.name ? -1 : 1));
      const files = await Promise.all(named.map(async (entry) => ((await isFile(entry, join(folder, name))) ? [join(folder, name, entry.name)] : [])));
      return { name, files: files.flat() };
    }),
  );
  const count = classes.reduce((sum, { files }) => sum + files.length, 0);
  if (count > maxImages) throw new Error(`${folder}: ${count} images; at most ${maxImages} are allowed`);
  const filled = classes.filter(({ files }) => files.length > 0);
  if (filled.length < least) {
    throw new Error(`${folder}: ${filled.length === 0 ? "no folder with images" : `only one folder with images (${filled[0]!.name})`}; each class needs its own folder with images (${[...endings].join(" ")})`);
  }
  return filled;
}

export interface ImagePart {
  readonly split: SplitName;
  readonly classes: readonly ImageClass[];
}

/** Whether a folder has folders, as those of the parts do and those of classes do not. */
const hasFolders = async (folder: string) => (await readdir(folder, { withFileTypes: true })).some((entry) => entry.isDirectory() && !entry.name.startsWith("."));

/**
 * Parts of a folder of images: `train`, `test` and `val` with a folder for each class, or a folder for each class
 * alone. @throws Error as imageClasses() does, and naming a folder beside the parts
 */
export async function imageParts(folder: string): Promise<ImagePart[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name)).map(({ name }) => name);
  const training = names.find((name) => splitNamed(name) === "train");
  if (training === undefined || !(await hasFolders(join(folder, training)))) return [{ split: "train", classes: await imageClasses(folder) }];
  const other = names.find((name) => splitNamed(name) === null);
  if (other !== undefined) throw new Error(`${folder} has the folder ${other} beside ${training}; allowed beside it are folders for testing and validation, such as test and val`);
  const parts = await Promise.all(names.map(async (name) => ({ name, split: splitNamed(name)!, classes: await imageClasses(join(folder, name), name === training ? 2 : 1) })));
  const order = ["train", "validation", "test"];
  const twice = parts.find(({ split }, i) => parts.findIndex((part) => part.split === split) !== i);
  if (twice) throw new Error(`${folder}: two folders are for ${twice.split}; join them`);
  return parts.sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split)).map(({ split, classes }) => ({ split, classes }));
}

/** Width and height of an image. @throws Error naming the file */
export async function imageSize(source: ImageSource): Promise<{ width: number; height: number }> {
  const sharp = loadDecoder();
  return decoding(nameOf(source), () => checkedSize(sharp(dataOf(source), { limitInputPixels: maxPixels })));
}

async function checkedSize(image: Sharp.Sharp): Promise<{ width: number; height: number }> {
  const { width, height } = await image.metadata();
  if (Math.max(width, height) > maxSide) throw new Error(`it says that it is ${width} x ${height} pixels; at most ${maxSide} a side are allowed`);
  return { width, height };
}

/** Pixels of an image as bytes, `[channels, height, width]`. @throws Error naming a file that cannot be decoded */
export async function readImage(from: ImageSource, { width, height, channels }: ImageFolderOptions): Promise<Uint8Array> {
  const sharp = loadDecoder();
  const { data, info } = await decoding(nameOf(from), async () => {
    const source = sharp(dataOf(from), { failOn: "truncated", limitInputPixels: maxPixels });
    await checkedSize(source);
    const image = source.flatten({ background: "white" }).resize(width, height, { fit: "fill" });
    return (channels === 1 ? image.grayscale() : image.toColourspace("srgb")).raw().toBuffer({ resolveWithObject: true });
  });
  const plane = width * height;
  const planes = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) for (let i = 0; i < plane; i++) planes[c * plane + i] = data[i * info.channels + Math.min(c, info.channels - 1)]!;
  return planes;
}

async function decoding<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${path} cannot be decoded: ${messageOf(error).replace(/[:\s]+$/, "")}`, { cause: error });
  }
}
