/** Leaving: never by accident while runs are training, and never without closing the store. */
import { app, dialog, session, type BrowserWindow } from "electron";
import { nounFor, plural } from "../../shared/text.ts";
import type { Services } from "../services/services.ts";
import { showFailure } from "./failure.ts";

export interface QuitOptions {
  readonly services: Services;
  readonly window: () => BrowserWindow | null;
}

/** Takes over every way out of the app. */
export function guardQuit({ services, window }: QuitOptions): void {
  let state: "open" | "asking" | "leaving" = "open";

  const isLeaving = (): boolean => state === "leaving";

  const leave = async (): Promise<void> => {
    if (isLeaving()) return;
    state = "leaving";
    try {
      // Stopping trainers takes a moment, in which nothing in the window would answer any more.
      window()?.hide();
      // exit() below skips the page's own unloading: what it has put aside is written now.
      session.defaultSession.flushStorageData();
      await services.close();
      app.exit(0);
    } catch (error) {
      showFailure("Hypertower did not close cleanly", error);
      app.exit(1);
    }
  };

  const ask = async (): Promise<void> => {
    if (state !== "open") return;
    const runs = services.training();
    if (runs > 0) {
      state = "asking";
      const answer = await confirmStop(window(), runs);
      // A signal may have decided meanwhile.
      if (isLeaving()) return;
      state = "open";
      if (answer === "stay") return;
    }
    await leave();
  };

  app.on("before-quit", (event) => {
    event.preventDefault();
    void ask();
  });
  // Elsewhere than on macOS the window is the app: closing it means to leave.
  app.on("browser-window-created", (_event, created) => {
    if (process.platform === "darwin") return;
    created.on("close", (event) => {
      event.preventDefault();
      void ask();
    });
    created.on("session-end", () => void leave());
  });
  // macOS only: everywhere else leave() ends the app itself.
  app.on("window-all-closed", () => undefined);
  // Asked by the system, nobody is there to answer a question.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void leave());
}

async function confirmStop(window: BrowserWindow | null, runs: number): Promise<"stay" | "leave"> {
  const options = {
    type: "question" as const,
    message: `${plural(runs, "run")} ${nounFor(runs, "is", "are")} still training.`,
    detail: "Stopping keeps every step logged so far.",
    buttons: ["Keep the Window Open", "Stop and Quit"],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options));
  return response === 1 ? "leave" : "stay";
}
