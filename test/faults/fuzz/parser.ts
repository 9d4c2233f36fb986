/** What a parser has to tell to be fuzzed. Add one to the list in `parsers/index.ts`, and its files to `corpus/NAME/`. */

export interface FuzzedInput {
  readonly bytes: Uint8Array;
  /** A file with the bytes, written at the first call; its name is that of a corpus file. */
  path(): string;
  /** An empty folder that the parser may write to. Writing anywhere else fails and is reported. */
  readonly folder: string;
}

export interface FuzzedParser {
  readonly name: string;
  /** The folder in `corpus/`: the name by default. */
  readonly corpus?: string;
  /** `json`: the files are JSON; two of three mutations then keep their form. */
  readonly form?: "json";
  /** Mends a checksum that every mutation breaks, so that half of the inputs reach what comes behind it. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
  /** Resolves when the input is accepted, rejects with a plain error when it is refused. */
  parse(input: FuzzedInput): unknown;
}
