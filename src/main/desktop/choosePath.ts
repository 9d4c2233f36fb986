/** Asks for a file or folder in the system's dialog, and grants the window what was chosen. */
import { dialog } from "electron";
import { contract, type Reply } from "../../shared/contract.ts";
import { messageOf } from "../../shared/errors.ts";
import type { FileAccess } from "../services/fileAccess.ts";

export async function choosePath(input: unknown, granted: FileAccess): Promise<Reply<"datasets.choose">> {
  const parsed = contract.requests["datasets.choose"].input.safeParse(input);
  if (!parsed.success) return { ok: false, error: { message: "what must be file or folder" } };
  try {
    const { canceled, filePaths } = await dialog.showOpenDialog({ properties: [parsed.data.what === "folder" ? "openDirectory" : "openFile"] });
    const [path] = filePaths;
    if (canceled || path === undefined) return { ok: true, value: null };
    granted.grant(path);
    return { ok: true, value: path };
  } catch (error) {
    return { ok: false, error: { message: `The file cannot be opened: ${messageOf(error)}` } };
  }
}
