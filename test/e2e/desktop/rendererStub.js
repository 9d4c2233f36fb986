/**
 * Runs before the page's own scripts, in the page. Gives the app's preload, which
 * the harness appends, the parts of `electron` that a sandboxed preload has; values
 * cross the bridge by structured clone, as they do under context isolation.
 */
const listeners = new Map();

// The harness delivers events here, and takes invocations at __hypertowerInvoke.
Object.defineProperty(window, "__hypertowerReceive", {
  value: (channel, parameters) => {
    for (const listener of [...(listeners.get(channel) ?? [])]) listener({ sender: ipcRenderer }, ...parameters);
  },
});

const ipcRenderer = {
  async invoke(channel, ...parameters) {
    const { value, error } = await window.__hypertowerInvoke(channel, structuredClone(parameters));
    if (error !== undefined) throw new Error(`Error invoking remote method '${channel}': ${error}`);
    return value;
  },
  on(channel, listener) {
    listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener));
  },
  removeListener(channel, listener) {
    listeners.get(channel)?.delete(listener);
  },
};

/** A value as it arrives on the other side of the bridge: functions as proxies, all else cloned and frozen. */
function across(value) {
  if (typeof value === "function") return (...parameters) => acrossResult(value(...parameters.map(across)));
  if (typeof value === "object" && value !== null && Object.values(value).some((part) => typeof part === "function")) {
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, across(part)])));
  }
  return structuredClone(value);
}

function acrossResult(value) {
  return value instanceof Promise ? value.then(across) : across(value);
}

const contextBridge = {
  exposeInMainWorld(key, api) {
    Object.defineProperty(window, key, { value: across(api), enumerable: true });
  },
};

/** What a sandboxed preload may require. */
function require(name) {
  if (name === "electron") return { contextBridge, ipcRenderer };
  throw new Error(`module not found: ${name}`);
}
