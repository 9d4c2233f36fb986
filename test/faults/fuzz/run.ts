/** Runs mutated files through one parser, in this process. Input N of a seed is always the same. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { faultOf } from "./verdict.ts";
import { Mutator } from "./mutate.ts";
import type { FuzzedParser } from "./parser.ts";

export const corpusFolder = join(import.meta.dirname, "corpus");

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function corpusOf({ name, corpus = name }: FuzzedParser): CorpusFile[] {
  const folder = join(corpusFolder, corpus);
  return readdirSync(folder).sort().map((file) => ({ name: file, bytes: new Uint8Array(readFileSync(join(folder, file))) }));
}

/** Input `index`: the files as they are first, then mutations. */
export function inputOf(parser: FuzzedParser, corpus: readonly CorpusFile[], seed: number, index: number): CorpusFile {
  if (index < corpus.length) return corpus[index]!;
  const mutator = new Mutator(seed * 1_000_003 + index);
  const { name } = mutator.oneOf(corpus);
  const ending = extname(name);
  const alike = corpus.filter((file) => extname(file.name) === ending);
  if (parser.form === "json" && mutator.below(3) > 0) {
    const value = JSON.parse(new TextDecoder().decode(mutator.oneOf(alike).bytes)) as unknown;
    return { name, bytes: new TextEncoder().encode(mutator.json(value)) };
  }
  const bytes = mutator.bytes(alike.map((file) => file.bytes));
  return { name, bytes: parser.repair && mutator.below(2) === 0 ? parser.repair(bytes) : bytes };
}

export interface Outcome {
  readonly accepted: boolean;
  /** A fault of the program; null where it accepted or refused the input as it should. */
  readonly fault: string | null;
}

const prototypeNames = () => [Object.prototype, Array.prototype, Function.prototype].map((prototype) => Object.getOwnPropertyNames(prototype).length).join(" ");
const cleanPrototypes = prototypeNames();

/** @param folder holds what the parser reads and writes; nothing else is in it afterwards */
export async function tryInput(parser: FuzzedParser, { name, bytes }: CorpusFile, folder: string): Promise<Outcome> {
  const [given, work] = [join(folder, "in"), join(folder, "work")];
  let path: string | undefined;
  const input = {
    bytes,
    path: () => {
      if (path === undefined) {
        mkdirSync(given, { recursive: true });
        writeFileSync((path = join(given, name)), bytes);
      }
      return path;
    },
    get folder() {
      mkdirSync(work, { recursive: true });
      return work;
    },
  };
  let outcome: Outcome;
  try {
    await parser.parse(input);
    outcome = { accepted: true, fault: null };
  } catch (error) {
    outcome = { accepted: false, fault: faultOf(error) };
  }
  const left = readdirSync(folder).filter((entry) => !["in", "work", "at"].includes(entry));
  for (const entry of left) rmSync(join(folder, entry), { recursive: true, force: true });
  rmSync(work, { recursive: true, force: true });
  if (left.length > 0) return { ...outcome, fault: `wrote outside its folder: ${left.join(", ")}` };
  return prototypeNames() === cleanPrototypes ? outcome : { ...outcome, fault: "changed a prototype of all objects" };
}
