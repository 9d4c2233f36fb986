/** Files that the window hands out. */
import type { RequestInput } from "@shared/contract.ts";
import { call } from "@/transport/client.ts";

/** How long a file's address stays valid (milliseconds): a dialog may ask for its place first. */
const validFor = 60_000;

/** Offers a text as a file: a download in a browser, a dialog in the desktop app. */
export function download(filename: string, mediaType: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${mediaType};charset=utf-8` }));
  save(url, filename);
  setTimeout(() => URL.revokeObjectURL(url), validFor);
}

/** A file of a report, of any length: the host makes it while it is saved. Rejects where it cannot be made. */
export async function downloadReportFile(request: RequestInput<"reports.file">): Promise<void> {
  const { path, filename } = await call("reports.file", request);
  save(path, filename);
}

function save(url: string, filename: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
}
