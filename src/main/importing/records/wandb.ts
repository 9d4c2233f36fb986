/** A run that W&B recorded offline: a log of records in blocks of 32 KiB, as LevelDB writes it, with protobuf messages. */
import { crc32 } from "node:zlib";
import { fieldsOf, text, type Field } from "../../../core/graphs/wire.ts";
import { messageOf } from "../../../shared/errors.ts";
import { RecordError, RunDraft } from "./draft.ts";
import { addLogged, parseJson } from "./json.ts";
import type { RecordSource, SourceOptions } from "./source.ts";
import { FileTail, maxRecordBytes, type TakeRecords } from "./tail.ts";

const blockBytes = 32_768;
const headBytes = 7;
const fileHead = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe]);
const [whole, first, middle, last] = [1, 2, 3, 4] as const;

/** Takes whole records from a file; a record may be split over blocks. */
export function takeLogRecords(onRecord: (data: Uint8Array, offset: number) => void): TakeRecords {
  return (bytes, offset) => {
    let taken = 0;
    if (offset === 0) {
      if (bytes.length < headBytes) return 0;
      if (!bytes.subarray(0, fileHead.length).equals(fileHead)) throw new RecordError("it does not begin as a file of W&B does");
      if (bytes[6]! > 0) throw new RecordError(`its version is ${bytes[6]}; version 0 is known`);
      taken = headBytes;
    }
    let parts: Uint8Array[] = [];
    let length = 0;
    for (let at = taken; ; ) {
      const left = blockBytes - ((offset + at) % blockBytes);
      // Too short for a head: the rest of the block is padding.
      if (left < headBytes) {
        if (bytes.length - at < left) return taken;
        at += left;
        if (parts.length === 0) taken = at;
        continue;
      }
      if (bytes.length - at < headBytes) return taken;
      const where = `byte ${offset + at}`;
      const size = bytes.readUInt16LE(at + 4);
      const type = bytes[at + 6]!;
      if (size > left - headBytes) throw new RecordError(`the record at ${where} goes over the end of its block; the file is damaged from there on`);
      if (bytes.length - at < headBytes + size) return taken;
      const data = bytes.subarray(at + headBytes, at + headBytes + size);
      if (crc32(data, crc32(Uint8Array.of(type))) !== bytes.readUInt32LE(at)) throw new RecordError(`the record at ${where} does not match its checksum; the file is damaged from there on`);
      const starts = type === whole || type === first;
      if (type < whole || type > last || starts !== (parts.length === 0)) throw new RecordError(`the record at ${where} does not follow from the one before; the file is damaged from there on`);
      parts.push(data);
      length += size;
      if (length > maxRecordBytes) throw new RecordError(`the record at ${where} has more than ${maxRecordBytes >> 20} MiB`);
      at += headBytes + size;
      if (type === first || type === middle) continue;
      try {
        onRecord(parts.length === 1 ? data : Buffer.concat(parts), offset + taken);
      } catch (error) {
        throw new RecordError(`the record at byte ${offset + taken}: ${error instanceof RecordError ? error.message : "it is not a record of W&B"}`, { cause: error });
      }
      parts = [];
      length = 0;
      taken = at;
    }
  };
}

const child = (field: Field, number: number): Field[] => [...fieldsOf(field.bytes)].filter((inner) => inner.number === number);

export class WandbRun implements RecordSource {
  readonly drafts: readonly [RunDraft];
  readonly #tail: FileTail;
  readonly #options: SourceOptions;
  #isDone = false;

  constructor(path: string, name: string, options: SourceOptions) {
    this.#tail = new FileTail(path);
    this.#options = options;
    this.drafts = [new RunDraft({ format: "wandb", path, key: "" }, name)];
  }

  async read(isLast: boolean): Promise<void> {
    if (this.#isDone) return;
    try {
      const rest = await this.#tail.read(takeLogRecords((data) => this.#record(data)), this.#options.onProgress);
      if (isLast && rest.length > 0) this.#options.warn(`${this.#tail.path} ends within the record at byte ${this.#tail.offset}; it was read up to there`);
    } catch (error) {
      this.#isDone = true;
      this.drafts[0].problem = messageOf(error);
      this.#options.warn(messageOf(error));
    }
  }

  #record(data: Uint8Array): void {
    for (const field of fieldsOf(data)) {
      if (field.number === 2) this.#history(field);
      else if (field.number === 5) this.#configure(field);
      else if (field.number === 17) this.#run(field);
    }
  }

  #run(run: Field): void {
    let [id, shown] = ["", ""];
    for (const field of fieldsOf(run.bytes)) {
      if (field.number === 1) id = text(field);
      else if (field.number === 4) this.#configure(field);
      else if (field.number === 8) shown = text(field);
    }
    const name = shown === "" ? id : shown;
    if (name !== "") this.drafts[0].name = name.slice(0, 200);
  }

  #configure(config: Field): void {
    for (const update of child(config, 1)) {
      const { name, value } = item(update, ".");
      if (!name.startsWith("_wandb")) this.drafts[0].configureAll(value, name);
    }
  }

  #history(history: Field): void {
    let step: number | undefined;
    let at: number | null = null;
    const values: { name: string; value: unknown }[] = [];
    for (const field of fieldsOf(history.bytes)) {
      // A step of 0 is written as an empty message.
      if (field.number === 2) step ??= child(field, 1)[0]?.value ?? 0;
      if (field.number !== 1) continue;
      const logged = item(field, "/");
      if (logged.name === "_step") step = Number(logged.value);
      else if (logged.name === "_timestamp") at = Number(logged.value);
      else if (!logged.name.startsWith("_")) values.push(logged);
    }
    if (step === undefined) throw new RecordError("a row of history has no step");
    for (const { name, value } of values) addLogged(this.drafts[0], name, value, step, at);
  }
}

/** Name and value of an item of history or configuration. */
function item({ bytes }: Field, separator: string): { name: string; value: unknown } {
  let name = "";
  const nested: string[] = [];
  let value: unknown = null;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) nested.push(text(field));
    else if (field.number === 16) value = parseJson(text(field));
  }
  return { name: nested.length > 0 ? nested.join(separator) : name, value };
}
