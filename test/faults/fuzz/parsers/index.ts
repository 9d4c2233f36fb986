/** All parsers that are fuzzed. */
import type { FuzzedParser } from "../parser.ts";
import { archiveParsers } from "./archives.ts";
import { dataParsers } from "./data.ts";
import { definitionParsers } from "./definitions.ts";
import { recordParsers } from "./records.ts";
import { runFileParsers } from "./runFiles.ts";

export const parsers: readonly FuzzedParser[] = [...dataParsers, ...definitionParsers, ...runFileParsers, ...archiveParsers, ...recordParsers];
