/** Short messages at the window's corner, some with an action such as Undo. */
import { h, type VNode } from "vue";
import { ElNotification } from "element-plus";
import type { NotificationHandle } from "element-plus";
import { messageOf, RequestError } from "@/transport/client.ts";

/** Away from the buttons people press next, which stand on the right. */
const position = "bottom-left";
/** Above the bar with the Train button, whose text would be covered else. */
const offset = 100;

/** Only the latest deed can be taken back: an older offer would undo into a changed state. */
let offered: NotificationHandle | undefined;

export function notifyError(title: string, error: unknown): void {
  const fields = error instanceof RequestError ? error.fields.map(({ message }) => message) : [];
  const message = [messageOf(error), ...fields.filter((text) => !messageOf(error).includes(text))].join(" ");
  ElNotification({ type: "error", title, message, duration: 0, position, offset, customClass: "ht-notification" });
}

/** Says what was done and offers to take it back. */
export function notifyUndo(text: string, undo: () => void | Promise<void>): void {
  const content = (): VNode =>
    h("div", { class: "undo-toast" }, [
      h("span", text),
      h(
        "button",
        {
          type: "button",
          class: "undo-toast-button",
          "data-testid": "undo-button",
          onClick: () => {
            handle.close();
            void undo();
          },
        },
        "Undo",
      ),
    ]);
  offered?.close();
  const handle = ElNotification({
    message: content(),
    duration: 8000,
    position,
    offset,
    customClass: "ht-notification",
    showClose: false,
  });
  offered = handle;
}

/** Runs an action and shows its failure; resolves to whether it went well. */
export async function attempt(title: string, action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    notifyError(title, error);
    return false;
  }
}
