/** Runs in tables: CSV, and JSON lines. A row is a step; every column of numbers is a series. */
import { messageOf } from "../../../shared/errors.ts";
import { numberOf, recognized, wallTime, type Columns } from "./columns.ts";
import { RecordError, RunDraft } from "./draft.ts";
import { parseJson } from "./json.ts";
import type { RecordSource, SourceOptions } from "./source.ts";
import { FileTail } from "./tail.ts";

const newline = 10;
const quote = 34;

/** Cells of one record of a CSV file. @throws RecordError for a quote that is not closed */
export function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  for (let at = 0; ; ) {
    let cell = "";
    if (line[at] === '"') {
      for (at++; ; at++) {
        if (at >= line.length) throw new RecordError("a quote is not closed");
        if (line[at] !== '"') cell += line[at];
        else if (line[at + 1] === '"') cell += line[++at];
        else break;
      }
      at++;
      if (at < line.length && line[at] !== separator) throw new RecordError("something follows a closing quote");
    } else {
      const end = line.indexOf(separator, at);
      cell = line.slice(at, end === -1 ? line.length : end);
      at += cell.length;
    }
    cells.push(cell);
    if (at >= line.length) return cells;
    at++;
  }
}

/** Splits a file into records of text. */
abstract class LineSource implements RecordSource {
  readonly drafts: readonly [RunDraft];
  protected readonly options: SourceOptions;
  readonly #tail: FileTail;
  readonly #quotes: boolean;
  #line = 0;
  #isDone = false;

  protected constructor(path: string, format: "csv" | "jsonl", name: string, quotes: boolean, options: SourceOptions) {
    this.options = options;
    this.#tail = new FileTail(path);
    this.#quotes = quotes;
    this.drafts = [new RunDraft({ format, path, key: "" }, name)];
  }

  protected abstract record(text: string): void;

  async read(isLast: boolean): Promise<void> {
    if (this.#isDone) return;
    const { path } = this.#tail;
    try {
      const rest = await this.#tail.read((bytes, offset) => this.#take(bytes, offset), this.options.onProgress);
      if (!isLast || rest.length === 0) return;
      this.#record(rest, this.#tail.offset);
      this.#tail.finish(rest.length);
    } catch (error) {
      this.#isDone = true;
      const message = messageOf(error);
      this.drafts[0].problem = message.startsWith(path) ? message : `${path}: ${message}`;
      this.options.warn(this.drafts[0].problem);
    }
  }

  #take(bytes: Buffer, offset: number): number {
    let start = 0;
    let isQuoted = false;
    for (let at = 0; at < bytes.length; at++) {
      if (this.#quotes && bytes[at] === quote) isQuoted = !isQuoted;
      if (bytes[at] !== newline || isQuoted) continue;
      this.#record(bytes.subarray(start, at), offset + start);
      start = at + 1;
    }
    return start;
  }

  #record(bytes: Buffer, offset: number): void {
    this.#line++;
    const text = bytes.toString("utf8").replace(/^\uFEFF/, "").replace(/\r$/, "");
    if (text.trim() === "") return;
    try {
      this.record(text);
    } catch (error) {
      throw new RecordError(`line ${this.#line} (byte ${offset}): ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Where the points of a row belong. */
class Rows {
  #next = 0;

  /** The row's step: as recorded, or its number. @throws RecordError for a step that is no step */
  step(recorded: number | undefined): number {
    const step = recorded === undefined ? this.#next : RunDraft.step(recorded);
    this.#next = step + 1;
    return step;
  }
}

export class CsvRun extends LineSource {
  #names: string[] | undefined;
  #columns: Columns | undefined;
  #separator = ",";
  readonly #rows = new Rows();
  /** Text that every row has had so far; null once it differed. */
  readonly #constant = new Map<number, string | null>();

  constructor(path: string, name: string, options: SourceOptions) {
    super(path, "csv", name, true, options);
  }

  protected record(text: string): void {
    if (!this.#names) return this.#head(text);
    const cells = cellsOf(text, this.#separator);
    if (cells.length !== this.#names.length) throw new RecordError(`it has ${cells.length} cells; the first line has ${this.#names.length}`);
    const { step, time } = this.#columns!;
    const at = this.#cell(cells, time);
    const wall = at === undefined ? null : wallTime(at);
    const recorded = this.#cell(cells, step);
    const number = recorded === undefined ? undefined : numberOf(recorded);
    if (step !== undefined && number === undefined) throw new RecordError(`the step ${JSON.stringify(recorded)} is not a number`);
    const row = this.#rows.step(number);
    const [draft] = this.drafts;
    cells.forEach((cell, column) => {
      const name = this.#names![column]!;
      if (name === step || (name === time && wall !== null)) return;
      const value = numberOf(cell);
      if (value !== undefined) draft.add(name, row, value, wall);
      else if (cell.trim() !== "" && name !== time) this.#text(column, cell);
    });
  }

  #cell(cells: readonly string[], name: string | undefined): string | undefined {
    return name === undefined ? undefined : cells[this.#names!.indexOf(name)];
  }

  /** Text that is the same in every row is configuration. */
  #text(column: number, cell: string): void {
    const before = this.#constant.get(column);
    if (before === null || before === cell) return;
    this.#constant.set(column, before === undefined ? cell : null);
    this.drafts[0].configure(this.#names![column]!, before === undefined ? cell : "differs by row");
  }

  #head(text: string): void {
    this.#separator = ["\t", ";", ","].find((mark) => !text.includes(",") && text.includes(mark)) ?? ",";
    const names = cellsOf(text, this.#separator).map((name) => name.trim());
    if (names.every((name) => name === "" || numberOf(name) !== undefined)) throw new RecordError("the first line has no names of columns");
    const repeated = names.find((name, i) => name !== "" && names.indexOf(name) !== i);
    if (repeated !== undefined) throw new RecordError(`two columns have the name ${JSON.stringify(repeated)}`);
    this.#names = names;
    this.#columns = recognized(names, this.options.columns, true);
  }
}

/** Deepest nesting of an object in a line. */
const maxDepth = 8;

export class JsonLinesRun extends LineSource {
  readonly #rows = new Rows();

  constructor(path: string, name: string, options: SourceOptions) {
    super(path, "jsonl", name, false, options);
  }

  protected record(text: string): void {
    const value = parsed(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new RecordError("it is not a JSON object");
    const fields = new Map<string, number | string | boolean>();
    flatten(value as Record<string, unknown>, "", fields, 0, (name, inner) => this.drafts[0].configureAll(inner, name === "config" || name === "hparams" || name === "hyperparameters" ? "" : name));
    const columns = recognized([...fields.keys()], this.options.columns, false);
    const numbers = [...fields].filter(([, field]) => typeof field === "number" || (typeof field === "string" && nonFiniteNames.test(field))) as [string, number | string][];
    const isRow = numbers.some(([name]) => name !== columns.step && name !== columns.time);
    if (!isRow) {
      for (const [name, field] of fields) if (name !== columns.step && name !== columns.time) this.drafts[0].configure(name, field);
      return;
    }
    const recorded = columns.step === undefined ? undefined : fields.get(columns.step);
    if (recorded !== undefined && typeof recorded !== "number") throw new RecordError(`the step ${JSON.stringify(recorded)} is not a number`);
    const time = columns.time === undefined ? undefined : fields.get(columns.time);
    const wall = typeof time === "number" || typeof time === "string" ? wallTime(time) : null;
    const step = this.#rows.step(recorded);
    for (const [name, field] of numbers) {
      if (name === columns.step || (name === columns.time && wall !== null)) continue;
      this.drafts[0].add(name, step, typeof field === "number" ? field : numberOf(field)!, wall);
    }
  }
}

const nonFiniteNames = /^[+-]?(nan|inf(inity)?)$/i;
const configurations = new Set(["config", "hparams", "hyperparameters", "args"]);

/** Leaves of an object, named by their paths; objects named like a configuration go to `onConfiguration`. */
function flatten(value: Record<string, unknown>, path: string, into: Map<string, number | string | boolean>, depth: number, onConfiguration: (name: string, inner: unknown) => void): void {
  if (depth >= maxDepth) throw new RecordError(`it is nested more than ${maxDepth} deep`);
  for (const [key, inner] of Object.entries(value)) {
    const name = path === "" ? key : `${path}/${key}`;
    if (typeof inner === "number" || typeof inner === "string" || typeof inner === "boolean") into.set(name, inner);
    else if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) {
      if (depth === 0 && configurations.has(key)) onConfiguration(key, inner);
      else flatten(inner as Record<string, unknown>, name, into, depth + 1, onConfiguration);
    }
  }
}

/** @throws RecordError for what is not JSON */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new RecordError(`it is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
