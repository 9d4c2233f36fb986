/** The format of an output file by its ending, and what may go to a terminal. */
import { extname } from "node:path";
import { listed } from "../../shared/text.ts";
import { UserError } from "../services/services.ts";
import { closest } from "./nearest.ts";

/** Format of a file by its ending. @throws UserError naming the known endings */
export function formatOf<F extends string>(file: string, endings: Readonly<Record<string, F>>): F {
  const ending = extname(file).toLowerCase();
  const format = endings[ending];
  if (format !== undefined) return format;
  const known = Object.keys(endings);
  const [near] = ending === "" ? [] : closest(ending, known);
  throw new UserError(`--out ${file}: ${ending === "" ? "the file needs an ending that says its format." : `there is no format for ${ending}${near ? `; did you mean ${near}?` : "."}`} Known endings: ${listed(known, "or")}`);
}

/** @throws UserError where bytes that are no text would go to a terminal */
export function refuseBinary(what: string, stream: { readonly isTTY?: boolean } = process.stdout): void {
  if (stream.isTTY) throw new UserError(`${what} is binary and is not written to a terminal; name a file with --out, or redirect the output`);
}
