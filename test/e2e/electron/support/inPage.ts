/** What the tests of the security checklist do in a page. Each function is sent to the page as text: it uses nothing around it. */

export interface PageBridge {
  request(name: string, input: unknown): Promise<{ ok: boolean; value?: unknown }>;
  on(name: string, listener: (...all: unknown[]) => void): () => void;
}

/** Parts of Node and Electron that the page can see. */
export function nodeIn(): string[] {
  const names = ["require", "module", "exports", "process", "Buffer", "global", "setImmediate", "__dirname", "__filename", "ipcRenderer", "electron", "electronBinding"];
  return names.filter((name) => name in globalThis);
}

/** Adds a frame to the page, and waits until it has loaded or could not. */
export function framed(attributes: Record<string, string>): Promise<void> {
  const frame = document.createElement("iframe");
  for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value);
  const settled = new Promise<void>((resolve) => {
    frame.addEventListener("load", () => resolve());
    // Electron reports no end of a frame that the app did not let go anywhere.
    setTimeout(resolve, 500);
  });
  document.body.append(frame);
  return settled;
}

/** Tries to load from `base` in every way that a page has. @returns the ways that succeeded */
export async function loadFrom(base: string): Promise<string[]> {
  const succeeded: string[] = [];
  const element = async (tag: "script" | "img" | "link" | "iframe" | "object" | "embed", attributes: Record<string, string>): Promise<void> => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    const outcome = new Promise<boolean>((resolve) => {
      made.addEventListener("load", () => resolve(true));
      made.addEventListener("error", () => resolve(false));
      // A frame that was refused may report neither.
      setTimeout(() => resolve(false), 1_000);
    });
    document.body.append(made);
    const loaded = await outcome;
    // A refused frame shows a page of Chromium's, and reports that as loaded.
    const isFrame = tag === "iframe" || tag === "object" || tag === "embed";
    if (loaded && !isFrame) succeeded.push(tag);
    made.remove();
  };
  await Promise.all([
    element("script", { src: `${base}x.js` }),
    element("link", { rel: "stylesheet", href: `${base}x.css` }),
    element("iframe", { src: base }),
    element("object", { data: `${base}x.svg` }),
    element("embed", { src: `${base}x.svg` }),
    ...(base.startsWith("data:") ? [] : [element("img", { src: `${base}x.svg` })]),
    fetch(base, { mode: "no-cors" }).then(() => succeeded.push("fetch"), () => undefined),
    element("script", { type: "module", src: `${base}x.js` }),
  ]);
  if (navigator.sendBeacon && base.startsWith("http") && !navigator.sendBeacon(base)) return succeeded;
  await new Promise<void>((resolve) => {
    try {
      const worker = new Worker(`${base}x.js`);
      worker.addEventListener("error", () => resolve());
      worker.addEventListener("message", () => (succeeded.push("worker"), resolve()));
      setTimeout(resolve, 300);
    } catch {
      resolve();
    }
  });
  await new Promise<void>((resolve) => {
    try {
      const socket = new WebSocket(base.startsWith("http") ? base.replace(/^http/, "ws") : "ws://elsewhere.test/");
      socket.addEventListener("open", () => (succeeded.push("socket"), resolve()));
      socket.addEventListener("error", () => resolve());
    } catch {
      resolve();
    }
  });
  if ("cameFromElsewhere" in window) succeeded.push("code");
  return succeeded;
}
