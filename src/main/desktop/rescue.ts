/** What the app offers when its store cannot be opened. */
import { dialog, type MessageBoxOptions } from "electron";
import { messageOf } from "../../shared/errors.ts";
import { adviceOnFailure, repairStore, restoreStore } from "../services/doctor/index.ts";
import { isStoreFailure } from "../services/services.ts";

/**
 * Offers to restore the latest backup or to repair the store. Nothing is overwritten: replaced files are set aside.
 * @returns whether the app should try again; false for a failure that concerns something else, or when the person quits
 */
export async function offerRescue(storeDir: string, error: unknown): Promise<boolean> {
  if (!isStoreFailure(error)) return false;
  const { backup } = adviceOnFailure(storeDir);
  const choices = [
    ...(backup ? [{ label: `Restore the backup of ${new Date(backup.at).toLocaleString()}`, work: async () => [await restoreStore(storeDir, backup.name)] }] : []),
    { label: "Repair", work: () => repairStore(storeDir) },
  ];
  const quit = choices.length;
  const { response } = await dialog.showMessageBox({
    type: "error",
    title: "Hypertower",
    message: "Hypertower cannot open its store",
    detail: `${messageOf(error)}\n\nFiles that are replaced are set aside, not erased. "hypertower doctor" in a terminal says more.`,
    buttons: [...choices.map(({ label }) => label), "Quit"],
    defaultId: quit,
    cancelId: quit,
    noLink: true,
  });
  const choice = choices[response];
  if (!choice) return false;
  try {
    const done = await choice.work();
    await say({ type: "info", message: done.length > 0 ? "The store was repaired" : "Nothing needed repair", detail: done.join("\n") });
    return done.length > 0;
  } catch (failure) {
    await say({ type: "error", message: "The store was not changed", detail: messageOf(failure) });
    return false;
  }
}

const say = (options: MessageBoxOptions) => dialog.showMessageBox({ title: "Hypertower", buttons: ["OK"], ...options });
