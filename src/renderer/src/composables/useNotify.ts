/** Notifications in the window's corner, some with an action such as Undo. */
import { h, type VNode } from "vue";
import { ElNotification } from "element-plus";
import type { NotificationHandle } from "element-plus";
import { messageOf, RequestError } from "@/transport/client.ts";

/** Away from the buttons on the right, which people press next. */
const position = "bottom-left";
/** Above the start bar, so that its text stays visible. */
const offset = 100;

/** Only the latest action can be undone: an older undo would meet a changed state. */
let offered: NotificationHandle | undefined;

export function notifyError(title: string, error: unknown): void {
  const fields = error instanceof RequestError ? error.fields.map(({ message }) => message) : [];
  const message = [messageOf(error), ...fields.filter((text) => !messageOf(error).includes(text))].join(" ");
  ElNotification({ type: "error", title, message, duration: 0, position, offset, customClass: "ht-notification" });
}

/** Reports something that went well. */
export function notifyDone(message: string): void {
  ElNotification({ type: "success", title: "Done", message, duration: 8000, position, offset, customClass: "ht-notification" });
}

/** Reports an action and offers to undo it. */
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

/** Runs an action and shows its error; resolves to whether it succeeded. */
export async function attempt(title: string, action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    notifyError(title, error);
    return false;
  }
}
