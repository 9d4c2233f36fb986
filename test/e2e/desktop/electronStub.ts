/**
 * Electron as far as the app uses it, for a Node process beside a browser that the
 * test drives: what Electron would do in its browser process is asked of the test
 * over the process's channel, and what would reach the app arrives from there.
 */
import { EventEmitter } from "node:events";
import { connectRpc } from "./rpc.ts";
import { forkUtility, trainers, type UtilityProcess } from "./utilityProcessStub.ts";

type Handler = (...parameters: never[]) => unknown;

const ask = connectRpc(
  {
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on("message", listener),
  },
  {
    request: async ({ url, method }: { url: string; method: string }) => {
      const scheme = new URL(url).protocol.slice(0, -1);
      const handle = protocolHandlers.get(scheme);
      if (!handle) throw new Error(`nothing handles ${scheme}:`);
      const response = (await handle(new Request(url, { method }) as never)) as Response;
      return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) };
    },
    /** Whether a filter of webRequest lets a request pass. */
    allowed: ({ url }: { url: string }) => {
      const filter = networkFilter;
      if (!filter || !filter.patterns.some((pattern) => matches(pattern, url))) return true;
      let cancelled = false;
      filter.listener({ url }, (answer) => (cancelled = answer.cancel === true));
      return !cancelled;
    },
    invoke: ({ channel, parameters, frame }: { channel: string; parameters: unknown[]; frame: object | null }) => {
      const handle = ipcHandlers.get(channel);
      if (!handle) throw new Error(`No handler registered for '${channel}'`);
      return handle({ senderFrame: frame, sender: BrowserWindow.current?.webContents } as never, ...(parameters as never[]));
    },
    navigate: ({ url, isMainFrame, isGuide }: { url: string; isMainFrame: boolean; isGuide: boolean }) => {
      const event = preventable({ url, isMainFrame });
      BrowserWindow[isGuide ? "guide" : "current"]?.webContents.emit("will-frame-navigate", event);
      return event.defaultPrevented;
    },
    openWindow: ({ url, isGuide }: { url: string; isGuide: boolean }) => BrowserWindow[isGuide ? "guide" : "current"]?.webContents.windowOpenHandler({ url }).action,
    attachWebview: ({ url }: { url: string }) => {
      const event = preventable({});
      BrowserWindow.current?.webContents.emit("will-attach-webview", event, {}, { src: url });
      return event.defaultPrevented;
    },
    permission: ({ name }: { name: string }) => {
      let granted: unknown = true;
      defaultSession.permissionRequest?.(null as never, name as never, ((answer: unknown) => (granted = answer)) as never);
      return { request: granted, check: defaultSession.permissionCheck?.(null as never, name as never) ?? true };
    },
    appSettings: () => ({ sandbox: app.sandboxed, schemes: privilegedSchemes, window: BrowserWindow.current?.options, guide: BrowserWindow.guide?.options }),
    trainers: () => [...trainers],
    memory: () => process.memoryUsage().rss,
    closeWindow: () => BrowserWindow.current?.close(),
    closeGuide: () => BrowserWindow.guide?.close(),
    chooseInMenu: ({ label }: { label: string }) => chooseInMenu(label),
    quit: () => app.quit(),
    secondStart: ({ items, folder }: { items: string[]; folder: string }) => app.emit("second-instance", {}, [], folder, { items, folder }),
    openUrl: ({ link }: { link: string }) => app.emit("open-url", preventable({}), link),
  },
);

// The test is gone: so is the app.
process.on("disconnect", () => process.exit(1));

function preventable<T extends object>(properties: T): T & { preventDefault(): void; defaultPrevented: boolean } {
  return {
    ...properties,
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}

/** Match patterns as Electron's filters use them: `scheme://host/path` with stars. */
function matches(pattern: string, url: string): boolean {
  const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${expression}$`).test(url);
}

const paths = new Map<string, string>();

class App extends EventEmitter {
  sandboxed = false;
  #ready = false;
  readonly commandLine = { hasSwitch: () => false };
  readonly #whenReady = new Promise<void>((resolve) =>
    setTimeout(() => {
      this.#ready = true;
      resolve();
      this.emit("ready");
    }),
  );

  setName(): void {}
  setPath(name: string, path: string): void {
    paths.set(name, path);
  }
  getPath(name: string): string | undefined {
    return paths.get(name);
  }
  enableSandbox(): void {
    if (this.#ready) throw new Error("enableSandbox() must be called before the app is ready");
    this.sandboxed = true;
  }
  requestSingleInstanceLock(): boolean {
    return true;
  }
  isReady(): boolean {
    return this.#ready;
  }
  whenReady(): Promise<void> {
    return this.#whenReady;
  }
  showAboutPanel(): void {}
  quit(): void {
    const event = preventable({});
    this.emit("before-quit", event);
    if (!event.defaultPrevented) this.exit(0);
  }
  exit(code = 0): void {
    // The channel keeps its order: whatever was said before has arrived when this is answered.
    void ask("exit", { code }).finally(() => process.exit(code));
  }
}

export const app = new App();

class WebContents extends EventEmitter {
  windowOpenHandler: (details: { url: string }) => { action: string } = () => ({ action: "allow" });

  send(channel: string, ...parameters: unknown[]): void {
    void ask("receive", { channel, parameters });
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.windowOpenHandler = handler;
  }
  reload(): void {
    void ask("reload");
  }
}

export class BrowserWindow extends EventEmitter {
  static current: BrowserWindow | null = null;
  static guide: BrowserWindow | null = null;
  readonly webContents = new WebContents();
  readonly options: Record<string, unknown>;

  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    // The window of the workbench has a preload, the guide's has none.
    if (this.#preload !== undefined) BrowserWindow.current = this;
    else BrowserWindow.guide = this;
    app.emit("web-contents-created", {}, this.webContents);
    app.emit("browser-window-created", {}, this);
  }
  async loadURL(url: string): Promise<void> {
    await ask("load", { url, preload: this.#preload });
    this.emit("ready-to-show");
  }
  get #preload(): string | undefined {
    return (this.options["webPreferences"] as { preload?: string }).preload;
  }
  show(): void {}
  hide(): void {}
  focus(): void {}
  restore(): void {}
  maximize(): void {}
  isMinimized(): boolean {
    return false;
  }
  isMaximized(): boolean {
    return false;
  }
  isDestroyed(): boolean {
    return BrowserWindow.current !== this && BrowserWindow.guide !== this;
  }
  getNormalBounds(): object {
    return { x: 0, y: 0, width: this.options["width"], height: this.options["height"] };
  }
  close(): void {
    const event = preventable({});
    this.emit("close", event);
    if (!event.defaultPrevented) this.destroy();
  }
  destroy(): void {
    if (BrowserWindow.guide === this) BrowserWindow.guide = null;
    else BrowserWindow.current = null;
    this.emit("closed");
    if (BrowserWindow.current === null && BrowserWindow.guide === null) app.emit("window-all-closed");
  }
}

const protocolHandlers = new Map<string, Handler>();
let privilegedSchemes: unknown = null;

export const protocol = {
  registerSchemesAsPrivileged(schemes: unknown): void {
    if (app.isReady()) throw new Error("registerSchemesAsPrivileged() must be called before the app is ready");
    privilegedSchemes = schemes;
  },
  handle(scheme: string, handler: Handler): void {
    if (!app.isReady()) throw new Error("protocol.handle() needs the app to be ready");
    protocolHandlers.set(scheme, handler);
  },
};

export const net = {
  fetch: (): Promise<Response> => Promise.reject(new Error("the tests have no network")),
};

const ipcHandlers = new Map<string, Handler>();

export const ipcMain = {
  handle(channel: string, handler: Handler): void {
    if (ipcHandlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    ipcHandlers.set(channel, handler);
  },
};

interface NetworkFilter {
  readonly patterns: readonly string[];
  listener(details: { url: string }, answer: (response: { cancel?: boolean }) => void): void;
}

let networkFilter: NetworkFilter | null = null;

const defaultSession = {
  permissionRequest: undefined as Handler | undefined,
  permissionCheck: undefined as Handler | undefined,
  setPermissionRequestHandler(handler: Handler): void {
    this.permissionRequest = handler;
  },
  setPermissionCheckHandler(handler: Handler): void {
    this.permissionCheck = handler;
  },
  setDevicePermissionHandler(): void {},
  flushStorageData(): void {},
  webRequest: {
    onBeforeRequest(filter: { urls: string[] }, listener: NetworkFilter["listener"]): void {
      networkFilter = { patterns: filter.urls, listener };
    },
  },
};

export const session = { defaultSession };

export const dialog = {
  async showOpenDialog(): Promise<{ canceled: boolean; filePaths: string[] }> {
    const path = (await ask("openDialog")) as string | null;
    return { canceled: path === null, filePaths: path === null ? [] : [path] };
  },
  showErrorBox(title: string, content: string): void {
    void ask("errorBox", { title, content });
  },
  async showMessageBox(...parameters: object[]): Promise<{ response: number }> {
    return (await ask("messageBox", parameters.at(-1))) as { response: number };
  },
};

export const screen = {
  getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1440, height: 900 } }],
};

export const shell = {
  openPath: () => Promise.resolve(""),
  openExternal: async (url: string): Promise<void> => void (await ask("openExternal", { url })),
};

interface MenuItem {
  readonly label?: string;
  readonly submenu?: readonly MenuItem[];
  click?(): void;
}

let menu: readonly MenuItem[] = [];

function chooseInMenu(label: string): void {
  const item = menu.flatMap(({ submenu }) => submenu ?? []).find((entry) => entry.label === label);
  if (!item?.click) throw new Error(`the menu has no command ${label}`);
  item.click();
}

export const Menu = {
  buildFromTemplate: (template: readonly MenuItem[]) => template,
  setApplicationMenu(template: readonly MenuItem[]): void {
    menu = template;
  },
};

export const utilityProcess = {
  fork(entry: string, parameters: string[]): UtilityProcess {
    if (!app.isReady()) throw new Error("utilityProcess.fork() needs the app to be ready");
    return forkUtility(entry, parameters);
  },
};
