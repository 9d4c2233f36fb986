/** Where the window's pages live, and how to tell that something comes from there. */

export const scheme = "app";
export const host = "hypertower";
export const windowUrl = `${scheme}://${host}/`;

/** Whether a URL belongs to the window's own pages. Blank and srcdoc documents do not. */
export function isOwnUrl(url: string): boolean {
  // Custom schemes have no usable `origin` in Node's URL: compare what it is made of.
  const parsed = URL.parse(url);
  return parsed?.protocol === `${scheme}:` && parsed.host === host && parsed.username === "" && parsed.password === "";
}

/** The part of a frame (Electron's WebFrameMain) that says who is speaking. */
export interface Sender {
  readonly url: string;
  readonly origin: string;
  readonly parent: object | null;
}

/** Whether a message was sent by the top frame of the window's own pages, and by no frame inside it. */
export function isTrustedSender(frame: Sender | null): boolean {
  return frame !== null && frame.parent === null && frame.origin === `${scheme}://${host}` && isOwnUrl(frame.url);
}
