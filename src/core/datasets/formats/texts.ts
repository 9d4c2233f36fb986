/** Reads the parts of a text, which share their codes, from plain files or from a column of a table. */
import { stat } from "node:fs/promises";
import { byteVocabulary, type TextUnit } from "../../../shared/alphabet.ts";
import { defaultMinCount } from "../../../shared/words.ts";
import { chunksOf } from "../chunks.ts";
import type { Codes } from "../dataset.ts";
import { byteCounter, type OnProgress } from "../progress.ts";
import { requireReadable } from "./packed.ts";
import { openTable, tableEndings } from "./tableRows.ts";
import { readText, TextEncoding } from "./text.ts";
import { requireUtf8 } from "./utf8.ts";
import { WordEncoding } from "./words.ts";

export interface TextParts {
  readonly vocabulary: readonly string[];
  /** Codes of all parts, one after the other. */
  readonly codes: Codes;
  /** Number of codes of each part. */
  readonly counts: readonly number[];
}

interface Reading {
  readonly unit: TextUnit;
  /** Column of a table that holds the text. */
  readonly column?: string | undefined;
  /** How a vocabulary of words is chosen. */
  readonly words?: {
    readonly minCount: number;
    /** How many symbols of each part it is counted over. */
    readonly counting: (counts: readonly number[]) => readonly number[];
  };
}

export const isTable = (path: string) => tableEndings.some((ending) => path.toLowerCase().endsWith(ending));

/** Texts of a column, one a line. @throws Error naming a table without the column */
async function* columnPieces(path: string, column: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const source = await openTable(path);
  let at: number | null = null;
  for await (const { values } of source.rows(",", onRead)) {
    if (at === null) {
      at = values.indexOf(column);
      if (at < 0) throw new Error(`${path} has no column ${column}; its columns are: ${values.join(", ")}`);
      continue;
    }
    const text = values[at]!;
    yield new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  }
}

const isColumn = (path: string, column: string | undefined) => column !== undefined && isTable(path);

/** @throws Error naming the file, and the line and byte that is not UTF-8 */
export async function readTexts(paths: readonly string[], { unit, column, words }: Reading, onProgress?: OnProgress): Promise<TextParts> {
  // One file is read piece by piece, without a copy of its bytes.
  if (paths.length === 1 && unit === "characters" && !isColumn(paths[0]!, column)) {
    const text = await readText(paths[0]!, onProgress);
    return { ...text, counts: [text.codes.length] };
  }
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  sizes.forEach((size, i) => requireReadable(paths[i]!, size));
  const onRead = byteCounter(sizes.reduce((sum, size) => sum + size, 0), 1, onProgress);
  if (unit === "words") {
    const encoding = new WordEncoding();
    for (const path of paths) {
      encoding.beginPart(path);
      if (isColumn(path, column)) for await (const piece of columnPieces(path, column!, onRead)) encoding.add(piece);
      else {
        for await (const piece of chunksOf(path)) {
          encoding.add(piece);
          onRead(piece.length);
        }
      }
      encoding.endPart();
    }
    return encoding.finish(words?.minCount ?? defaultMinCount, words?.counting ?? ((counts) => counts));
  }
  const pieces: (readonly Uint8Array[])[] = [];
  for (const path of paths) {
    const own: Uint8Array[] = [];
    if (isColumn(path, column)) for await (const piece of columnPieces(path, column!, onRead)) own.push(piece);
    else {
      if (unit === "characters") await requireUtf8(path);
      for await (const piece of chunksOf(path)) {
        own.push(Uint8Array.from(piece));
        onRead(piece.length);
      }
    }
    pieces.push(own);
  }
  const bytes = pieces.flat().reduce((sum, { length }) => sum + length, 0);
  if (unit === "bytes") return { vocabulary: byteVocabulary, codes: new Uint8Array(Buffer.concat(pieces.flat())), counts: pieces.map((own) => own.reduce((sum, { length }) => sum + length, 0)) };
  const counts: number[] = [];
  let encoding: TextEncoding | undefined;
  for (const [i, own] of pieces.entries()) {
    encoding ??= new TextEncoding(paths[i]!, bytes);
    const before = encoding.count;
    for (const piece of own) encoding.add(piece);
    encoding.endPart();
    counts.push(encoding.count - before);
  }
  return { ...encoding!.finish(), counts };
}
