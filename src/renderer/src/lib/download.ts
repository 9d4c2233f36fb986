/** File downloads. */
import type { RequestInput } from "@shared/contract.ts";
import { call } from "@/transport/client.ts";

/** Milliseconds that a file's address stays valid: a dialog may first ask where to save. */
const validFor = 60_000;

/** Saves a text: a download in a browser, a dialog in the desktop app. */
export function download(filename: string, mediaType: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${mediaType};charset=utf-8` }));
  saveAddress(url, filename);
  setTimeout(() => URL.revokeObjectURL(url), validFor);
}

/** Saves a report file, which the host creates while it is saved. Rejects when that fails. */
export async function downloadReportFile(request: RequestInput<"reports.file">): Promise<void> {
  const { path, filename } = await call("reports.file", request);
  saveAddress(path, filename);
}

/** Saves a file of the window's host. */
export function saveAddress(url: string, filename: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
}
