/** Quitting: asks first while runs are training, and always closes the store. */
import { app, dialog, session, type BrowserWindow } from "electron";
import { nounFor, plural } from "../../shared/text.ts";
import { hostLog } from "../logs/hostLog.ts";
import type { Services } from "../services/services.ts";
import { showFailure } from "./failure.ts";

export interface QuitOptions {
  readonly services: Services;
  readonly window: () => BrowserWindow | null;
}

/** Intercepts every way to quit the app. */
export function guardQuit({ services, window }: QuitOptions): void {
  let state: "open" | "asking" | "leaving" = "open";

  const isLeaving = (): boolean => state === "leaving";

  const leave = async (): Promise<void> => {
    if (isLeaving()) return;
    state = "leaving";
    try {
      // Stopping trainers takes a moment, during which the window would not respond.
      window()?.hide();
      // exit() below does not unload the page, so write its local storage now.
      session.defaultSession.flushStorageData();
      await services.close();
      hostLog.info("ended");
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
      // A signal may have started to quit meanwhile.
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
  // Except on macOS, closing the window quits the app.
  app.on("browser-window-created", (_event, created) => {
    if (process.platform === "darwin") return;
    created.on("close", (event) => {
      // Only the workbench's window; the guide's just closes.
      if (window() !== null && created !== window()) return;
      event.preventDefault();
      void ask();
    });
    created.on("session-end", () => void leave());
  });
  // On macOS the app stays open without a window; elsewhere leave() ends it.
  app.on("window-all-closed", () => undefined);
  // A signal comes from the system: do not ask.
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
