/**
 * Runs in the page, before the page's own scripts: gives the app's preload the parts
 * of `electron` that a sandboxed preload has. Values cross the bridge by structured
 * clone, as they do under context isolation. The harness sends the function's source,
 * so it may use nothing outside itself.
 */
type Listener = (event: object, ...parameters: unknown[]) => void;
type Invoke = (channel: string, parameters: readonly unknown[]) => Promise<{ value?: unknown; error?: string }>;

export function runPreload(preload: (require: (name: string) => object) => void): void {
  const listeners = new Map<string, Set<Listener>>();

  const ipcRenderer = {
    async invoke(channel: string, ...parameters: unknown[]): Promise<unknown> {
      const { __hypertowerInvoke: invoke } = window as unknown as { __hypertowerInvoke: Invoke };
      const { value, error } = await invoke(channel, structuredClone(parameters));
      if (error !== undefined) throw new Error(`Error invoking remote method '${channel}': ${error}`);
      return value;
    },
    on(channel: string, listener: Listener): void {
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener));
    },
    removeListener(channel: string, listener: Listener): void {
      listeners.get(channel)?.delete(listener);
    },
  };

  Object.defineProperty(window, "__hypertowerReceive", {
    value: (channel: string, parameters: unknown[]) => {
      for (const listener of [...(listeners.get(channel) ?? [])]) listener({ sender: ipcRenderer }, ...parameters);
    },
  });

  /** A value as it arrives on the other side of the bridge: functions as proxies, all else cloned and frozen. */
  const across = (value: unknown): unknown => {
    if (typeof value === "function") {
      return (...parameters: unknown[]): unknown => {
        const result: unknown = (value as (...all: unknown[]) => unknown)(...parameters.map(across));
        return result instanceof Promise ? result.then(across) : across(result);
      };
    }
    if (typeof value === "object" && value !== null && Object.values(value).some((part) => typeof part === "function")) {
      return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, across(part)])));
    }
    return structuredClone(value);
  };

  const contextBridge = {
    exposeInMainWorld(key: string, api: unknown): void {
      Object.defineProperty(window, key, { value: across(api), enumerable: true });
    },
  };

  /** As in Electron, a file that a page made has no path. */
  const webUtils = { getPathForFile: () => "" };

  // Chromium takes downloads from the network past the harness; fetched here, they come from the app's protocol handler.
  const { click } = HTMLAnchorElement.prototype;
  HTMLAnchorElement.prototype.click = function (): void {
    if (!this.hasAttribute("download") || this.protocol === "blob:") return click.call(this);
    void fetch(this.href)
      .then((response) => response.blob())
      .then((content) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(content);
        link.download = this.download;
        click.call(link);
      });
  };

  preload((name) => {
    if (name === "electron") return { contextBridge, ipcRenderer, webUtils };
    throw new Error(`module not found: ${name}`);
  });
}
