/** Downloads of report files and of logs, over app:// and HTTP; made while they are sent. */
import { isLogsPath } from "../../shared/logs.ts";
import { downloadPrefix, parseDownloadPath } from "../../shared/reports.ts";
import { UserError, type Pieces, type Services } from "../services/services.ts";

export type Download =
  | { readonly status: 200; readonly headers: Readonly<Record<string, string>>; readonly pieces: Pieces }
  | { readonly status: 404; readonly message: string };

export const isDownload = (path: string) => path.startsWith(downloadPrefix);

export type DownloadServices = Pick<Services, "reportFile" | "supportFile">;

/** @param path of the URL, percent-encoded, without query */
export async function openDownload(services: DownloadServices, path: string): Promise<Download> {
  const request = isLogsPath(path) ? "logs" : parseDownloadPath(path);
  if (!request) return { status: 404, message: "There is no file at this address." };
  try {
    const { filename, mediaType, pieces } = request === "logs" ? await services.supportFile() : await services.reportFile(request);
    const type = mediaType.startsWith("text/") || mediaType.endsWith("json") ? `${mediaType}; charset=utf-8` : mediaType;
    // Attachments are saved, never shown: a downloaded page must not run in this origin.
    return { status: 200, headers: { "content-type": type, "content-disposition": `attachment; filename="${filename}"`, "cache-control": "no-store" }, pieces };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { status: 404, message: error.message };
  }
}
