/** Datasets of the Hugging Face hub as folders to import. */
import { downloadHubDataset, hubAddress } from "../../core/datasets/hub.ts";
import type { DownloadProgress } from "../../core/datasets/published.ts";
import { messageOf } from "../../shared/errors.ts";
import { UserError } from "./services.ts";

export interface HubDataset {
  /** Folder with the downloaded files. */
  readonly folder: string;
  readonly title: string;
}

/** Downloads what an address of the hub names; null where the text is no such address. @throws UserError */
export async function hubDataset(text: string, options: { readonly signal: AbortSignal; readonly onProgress: (progress: DownloadProgress) => void }): Promise<HubDataset | null> {
  try {
    const address = hubAddress(text);
    if (!address) return null;
    const title = [address.dataset.split("/")[1]!, ...(address.config === undefined ? [] : [address.config])].join(" ");
    return { folder: await downloadHubDataset(address, options), title };
  } catch (error) {
    throw new UserError(messageOf(error));
  }
}
