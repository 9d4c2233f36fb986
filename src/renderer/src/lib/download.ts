/** Files that the window hands out. */

/** How long a file's address stays valid (milliseconds): a dialog may ask for its place first. */
const validFor = 60_000;

/** Offers a text as a file: a download in a browser, a dialog in the desktop app. */
export function download(filename: string, mediaType: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${mediaType};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), validFor);
}
