/** The URL of the window's pages, and checks that a URL or sender belongs to them. */

export const scheme = "app";
export const host = "hypertower";
export const windowUrl = `${scheme}://${host}/`;

/** Whether a URL belongs to the window's own pages; blank and srcdoc documents do not. */
export function isOwnUrl(url: string): boolean {
  // Node's URL has no usable `origin` for custom schemes, so compare its parts.
  const parsed = URL.parse(url);
  return parsed?.protocol === `${scheme}:` && parsed.host === host && parsed.username === "" && parsed.password === "";
}

/** The properties of Electron's WebFrameMain that identify the sender of a message. */
export interface Sender {
  readonly url: string;
  readonly origin: string;
  readonly parent: object | null;
}

/** Whether the sender is the top frame of the window's own pages, not a frame inside it. */
export function isTrustedSender(frame: Sender | null): boolean {
  return frame !== null && frame.parent === null && frame.origin === `${scheme}://${host}` && isOwnUrl(frame.url);
}
