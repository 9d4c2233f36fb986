/** Reads Parquet files (https://parquet.apache.org), as pandas, pyarrow and the Hugging Face hub write them. */
import { open, type FileHandle } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, snappyUncompress, type AsyncBuffer, type Compressors, type FileMetaData, type SchemaTree } from "hyparquet";
import { messageOf } from "../../../shared/errors.ts";
import { requireUnpackable } from "./packed.ts";

/** What a column holds: values of a cell, encoded images, or lists and records. */
export type ParquetKind = "cells" | "image" | "nested";

export interface ParquetColumn {
  readonly name: string;
  readonly kind: ParquetKind;
}

export interface ParquetFile {
  readonly columns: readonly ParquetColumn[];
  readonly count: number;
  /** Rows of the named columns in order. A value is what the file holds; class numbers are replaced by their names. */
  rows(names: readonly string[]): AsyncGenerator<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

const limited = (unpack: (input: Uint8Array, length: number) => Uint8Array) => (input: Uint8Array, length: number) => {
  requireUnpackable(input.length, length);
  return unpack(input, length);
};

const compressors: Compressors = {
  SNAPPY: limited((input, length) => {
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  }),
  GZIP: limited((input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) })),
  BROTLI: limited((input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
  ZSTD: limited((input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
};

function bufferOf(file: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const [from, to] = [start < 0 ? byteLength + start : start, Math.min(end, byteLength)];
      if (!(from >= 0 && to >= from)) throw new Error("its metadata points outside of the file");
      const bytes = new Uint8Array(to - from);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
        if (bytesRead === 0) throw new Error("it is shorter than its metadata says");
        filled += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

function kindOf({ children, element }: SchemaTree): ParquetKind {
  if (children.some(({ element: { name } }) => name === "bytes") && children.every(({ element: { name } }) => name === "bytes" || name === "path")) return "image";
  if (children.length > 0 || element.repetition_type === "REPEATED") return "nested";
  return element.type === "BYTE_ARRAY" && !element.converted_type && !element.logical_type ? "image" : "cells";
}

/** Names of classes by column, from the description that the Hugging Face library writes. */
function classNamesIn({ key_value_metadata: pairs }: FileMetaData): ReadonlyMap<string, readonly string[]> {
  const text = pairs?.find(({ key }) => key === "huggingface")?.value;
  try {
    const { info } = JSON.parse(text ?? "{}") as { info?: { features?: Record<string, { _type?: unknown; names?: unknown } | null> } };
    return new Map(
      Object.entries(info?.features ?? {}).flatMap(([name, feature]) => {
        const names = feature?._type === "ClassLabel" ? feature.names : undefined;
        return Array.isArray(names) && names.every((one) => typeof one === "string") ? [[name, names as string[]] as const] : [];
      }),
    );
  } catch {
    // Without the description the classes keep their numbers.
    return new Map();
  }
}

const maxColumns = 10_000;

/** Opens a file, which the caller closes. @throws Error naming the file and what is wrong with it */
export async function openParquet(path: string): Promise<ParquetFile> {
  const handle = await open(path);
  try {
    const file = bufferOf(handle, (await handle.stat()).size);
    return { ...(await described(path, file)), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function described(path: string, file: AsyncBuffer): Promise<Omit<ParquetFile, "close">> {
  const metadata = await damaged(path, () => parquetMetadataAsync(file));
  const { children } = parquetSchema(metadata);
  if (children.length > maxColumns) throw new Error(`${path}: ${children.length} columns; at most ${maxColumns} are allowed`);
  const classNames = classNamesIn(metadata);
  const named = (name: string, value: unknown) => {
    const names = classNames.get(name);
    const index = typeof value === "bigint" || typeof value === "number" ? Number(value) : null;
    // The library writes -1 where the label is unknown.
    return names && index !== null ? (names[index] ?? null) : value;
  };
  return {
    columns: children.map((child) => ({ name: child.element.name, kind: kindOf(child) })),
    count: metadata.row_groups.reduce((sum, { num_rows: rows }) => sum + Number(rows), 0),
    async *rows(names) {
      let rowStart = 0;
      for (const group of metadata.row_groups) {
        const rowEnd = rowStart + Number(group.num_rows);
        const rows = await damaged(path, () => parquetReadObjects({ file, metadata, columns: [...names], rowStart, rowEnd, compressors, utf8: false }));
        if (rows.length !== Number(group.num_rows)) throw new Error(`${path} is damaged: ${rows.length} rows instead of ${group.num_rows}`);
        for (const row of rows) yield Object.fromEntries(names.map((name) => [name, named(name, row[name])]));
        rowStart = rowEnd;
      }
    },
  };
}

async function damaged<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${path} cannot be read as Parquet: ${messageOf(error)}`, { cause: error });
  }
}

/** A value as the cell of a table: missing ones are empty, lists and records are JSON. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return value.toISOString();
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
}

/** Encoded image of a cell; null where there is none. */
export function imageIn(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  const bytes: unknown = typeof value === "object" && value !== null && "bytes" in value ? value.bytes : null;
  return bytes instanceof Uint8Array ? bytes : null;
}
