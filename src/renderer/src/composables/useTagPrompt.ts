/** Asks for tags to add to and remove from a selection. */
import { ElMessageBox } from "element-plus";
import { readTagChange, type TagChange } from "@/lib/tagWords.ts";

/** Null where the person cancels. */
export async function promptTags(title: string): Promise<TagChange | null> {
  const box = await ElMessageBox.prompt("Words add tags; a word with a minus before it removes one.", title, {
    inputPlaceholder: "paper -draft",
    inputValidator: (value: string | null) => {
      const read = readTagChange(value ?? "");
      return typeof read === "string" ? read : true;
    },
    confirmButtonText: "Change tags",
  }).catch(() => null);
  const read = box && readTagChange(box.value);
  return read && typeof read !== "string" ? read : null;
}
