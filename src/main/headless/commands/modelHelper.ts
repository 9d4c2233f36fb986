/** Writes the Python script that exports a PyTorch module. */
import { writeFileSync } from "node:fs";
import { messageOf } from "../../../shared/errors.ts";
import { helperScript } from "../../services/helperScript.ts";
import { UserError } from "../../services/services.ts";
import { exitCodes } from "../exitCodes.ts";

/** @param file a new file, or - for standard output @throws UserError where it cannot be written, or exists */
export function modelHelper(file: string): number {
  if (file === "-") {
    writeFileSync(process.stdout.fd, helperScript());
    return exitCodes.ok;
  }
  if (!file.toLowerCase().endsWith(".py")) throw new UserError(`--helper ${file}: the script is in Python; name a file that ends in .py`);
  try {
    writeFileSync(file, helperScript(), { flag: "wx" });
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new UserError(exists ? `${file} already exists; name another file: --helper FILE.py` : `${file} cannot be written: ${messageOf(error)}`);
  }
  console.error(`wrote ${file}\nput your module and a batch into its example(), or see its first lines; then: python ${file} NAME`);
  return exitCodes.ok;
}
