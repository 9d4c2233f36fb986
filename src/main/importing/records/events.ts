/** TensorBoard's event files: TFRecords of Event messages. */
import { fieldsOf, floats, integers, text, type Field } from "../../../core/graphs/wire.ts";
import { maskedCrc32c } from "./crc32c.ts";
import { RecordError, type RunDraft } from "./draft.ts";
import { maxRecordBytes, type TakeRecords } from "./tail.ts";

/** Bytes before and after the data of a TFRecord. */
const head = 12;
const foot = 4;

/** Takes whole TFRecords from a file. @throws RecordError with the offset of a damaged record */
export function takeRecords(onRecord: (data: Uint8Array, offset: number) => void): TakeRecords {
  return (bytes, offset) => {
    let at = 0;
    while (bytes.length - at >= head) {
      const where = `byte ${offset + at}`;
      if (maskedCrc32c(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) throw new RecordError(`the length of the record at ${where} does not match its checksum; the file is damaged from there on`);
      const length = bytes.readBigUInt64LE(at);
      if (length > BigInt(maxRecordBytes)) throw new RecordError(`the record at ${where} has ${length} bytes; at most ${maxRecordBytes >> 20} MiB are read`);
      const end = at + head + Number(length);
      if (bytes.length < end + foot) break;
      const data = bytes.subarray(at + head, end);
      if (maskedCrc32c(data) !== bytes.readUInt32LE(end)) throw new RecordError(`the record at ${where} does not match its checksum; the file is damaged from there on`);
      try {
        onRecord(data, offset + at);
      } catch (error) {
        if (error instanceof RecordError) throw new RecordError(`the record at ${where}: ${error.message}`);
        throw new RecordError(`the record at ${where} is not an event of TensorBoard`, { cause: error });
      }
      at = end + foot;
    }
    return at;
  };
}

const double = ({ bytes }: Field): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0, true);
const single = ({ bytes }: Field): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true);

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

/** How the values of a TensorProto of a data type are stored: its own field, and in `tensor_content`. */
const contents: Record<number, (view: DataView) => number> = {
  1: (view) => view.getFloat32(0, true),
  2: (view) => view.getFloat64(0, true),
  3: (view) => view.getInt32(0, true),
  4: (view) => view.getUint8(0),
  5: (view) => view.getInt16(0, true),
  6: (view) => view.getInt8(0),
  9: (view) => Number(view.getBigInt64(0, true)),
  10: (view) => view.getUint8(0),
  14: (view) => bfloat(view.getUint16(0, true)),
  19: (view) => half(view.getUint16(0, true)),
};

/** The value of a tensor with one element; undefined for any other. */
function tensorScalar(bytes: Uint8Array): number | undefined {
  let [type, size] = [0, 1];
  let content: Uint8Array | undefined;
  let values: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) type = field.value;
    else if (field.number === 2) {
      for (const dim of fieldsOf(field.bytes)) if (dim.number === 2) for (const part of fieldsOf(dim.bytes)) if (part.number === 1) size *= part.value;
    } else if (field.number === 4) content = field.bytes;
    else if (field.number === 5) values = floats(field, 4);
    else if (field.number === 6) values = floats(field, 8);
    else if (field.number === 13) values = integers(field).map(type === 14 ? bfloat : half);
    else if ([7, 10, 11].includes(field.number)) values = integers(field);
  }
  if (size !== 1) return undefined;
  if (values.length === 1) return values[0];
  const read = contents[type];
  if (!content || !read) return undefined;
  return content.length > 8 || content.length === 0 ? undefined : read(new DataView(content.buffer, content.byteOffset, content.byteLength));
}

/** A google.protobuf.Value that is no list or structure. */
function plainValue(bytes: Uint8Array): string | number | boolean | null {
  for (const field of fieldsOf(bytes)) {
    if (field.number === 2) return double(field);
    if (field.number === 3) return text(field);
    if (field.number === 4) return field.value !== 0;
  }
  return null;
}

/** Hyperparameters of the hparams plugin's session. */
function hyperparameters(content: Uint8Array, draft: RunDraft): void {
  for (const data of fieldsOf(content)) {
    if (data.number !== 3) continue;
    for (const field of fieldsOf(data.bytes)) {
      if (field.number !== 1) continue;
      let name = "";
      let value: ReturnType<typeof plainValue> = null;
      for (const entry of fieldsOf(field.bytes)) {
        if (entry.number === 1) name = text(entry);
        else if (entry.number === 2) value = plainValue(entry.bytes);
      }
      draft.configure(name, value);
    }
  }
}

/** Reads events into a run. It belongs to one file: the plugin of a tag is named only with its first value. */
export class EventReader {
  readonly #draft: RunDraft;
  readonly #scalars = new Set<string>();

  constructor(draft: RunDraft) {
    this.#draft = draft;
  }

  event(bytes: Uint8Array): void {
    let [at, step] = [0, 0];
    let summary: Uint8Array | undefined;
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) at = double(field);
      else if (field.number === 2) step = field.value;
      else if (field.number === 5) summary = field.bytes;
    }
    if (!summary) return;
    for (const field of fieldsOf(summary)) if (field.number === 1) this.#value(field.bytes, step, at);
  }

  #value(bytes: Uint8Array, step: number, at: number): void {
    let [tag, plugin] = ["", ""];
    let content: Uint8Array | undefined;
    let value: number | undefined;
    let tensor: Uint8Array | undefined;
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) tag = text(field);
      else if (field.number === 2) value = single(field);
      else if (field.number === 8) tensor = field.bytes;
      else if (field.number === 9) {
        for (const metadata of fieldsOf(field.bytes)) {
          if (metadata.number !== 1) continue;
          for (const part of fieldsOf(metadata.bytes)) {
            if (part.number === 1) plugin = text(part);
            else if (part.number === 2) content = part.bytes;
          }
        }
      }
    }
    if (plugin === "hparams" && content) hyperparameters(content, this.#draft);
    if (plugin === "scalars") this.#scalars.add(tag);
    if (value === undefined && tensor && this.#scalars.has(tag)) value = tensorScalar(tensor);
    if (value !== undefined) this.#draft.add(tag, step, value, at);
  }
}
