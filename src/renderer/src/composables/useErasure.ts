/** Erasing for good, after a confirmation that says what. */
import { ElMessageBox, ElNotification } from "element-plus";
import type { Erasure } from "@shared/storage.ts";
import { attempt } from "@/composables/useNotify.ts";
import { useStorage } from "@/stores/storage.ts";

/** Says what was done. */
export function done(text: string): void {
  ElNotification({ type: "success", message: text, position: "bottom-left", offset: 100, customClass: "ht-notification" });
}

export async function confirmErasure(title: string, text: string, erasure: Erasure): Promise<void> {
  const storage = useStorage();
  const sure = await ElMessageBox.confirm(text, title, { confirmButtonText: "Erase for good", cancelButtonText: "Keep", type: "warning" }).then(
    () => true,
    () => false,
  );
  if (sure) await attempt("Nothing was erased", async () => done(await storage.erase(erasure)));
}
