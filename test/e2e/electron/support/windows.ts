/** Further windows that a test opens in the app's own process, to load in them what the app itself never loads. */
import type { ElectronHarness } from "../harness.ts";

/** Opens a hidden window. @returns its id, and why `url` did not load, or null */
export const openHidden = (harness: ElectronHarness, url: string, webPreferences: Record<string, unknown> = {}): Promise<{ id: number; problem: string | null }> =>
  harness.app.evaluate(
    async ({ BrowserWindow }, [address, preferences]) => {
      const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true, ...preferences } });
      try {
        await window.loadURL(address);
        return { id: window.id, problem: null };
      } catch (error) {
        return { id: window.id, problem: String(error) };
      }
    },
    [url, webPreferences] as const,
  );

/** Evaluates an expression in a window, as after a click of a person. */
export const evaluateIn = (harness: ElectronHarness, id: number, expression: string): Promise<unknown> =>
  harness.app.evaluate(({ BrowserWindow }, [window, text]) => BrowserWindow.fromId(window)?.webContents.executeJavaScript(text, true) as Promise<unknown>, [id, expression] as const);

/** Closes every window but the app's own. */
export const closeOthers = (harness: ElectronHarness): Promise<void> =>
  harness.app.evaluate(({ BrowserWindow }) => {
    const [own] = BrowserWindow.getAllWindows().toSorted((a, b) => a.id - b.id);
    for (const window of BrowserWindow.getAllWindows()) if (window !== own) window.destroy();
  });

/** Preferences of a page's process, as Electron applies them; of the app's own window without an id. */
export const preferencesOf = (harness: ElectronHarness, id?: number): Promise<Record<string, unknown>> =>
  harness.app.evaluate(({ BrowserWindow }, window) => {
    const all = BrowserWindow.getAllWindows().toSorted((a, b) => a.id - b.id);
    const found = window === null ? all[0] : BrowserWindow.fromId(window);
    if (!found) throw new Error("there is no such window");
    return (found.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }).getLastWebPreferences();
  }, id ?? null);
