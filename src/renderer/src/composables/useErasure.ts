/** Erasing for good, after a confirmation that says what. */
import { ElMessageBox } from "element-plus";
import type { Erasure } from "@shared/storage.ts";
import { attempt, notifyDone } from "@/composables/useNotify.ts";
import { useStorage } from "@/stores/storage.ts";

export async function confirmErasure(title: string, text: string, erasure: Erasure): Promise<void> {
  const storage = useStorage();
  const sure = await ElMessageBox.confirm(text, title, { confirmButtonText: "Erase for good", cancelButtonText: "Keep", type: "warning" }).then(
    () => true,
    () => false,
  );
  if (sure) await attempt("Nothing was erased", async () => notifyDone(await storage.erase(erasure)));
}
