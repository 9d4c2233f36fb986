/** Downloads to a file, checked while it arrives. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { messageOf } from "../../shared/errors.ts";

export interface Source {
  readonly url: string;
  /** `sha512-` and base64, as npm writes it, or `sha256-` and hexadecimal, as Python's index does. */
  readonly integrity: string;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Called with the bytes that have arrived since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/** Milliseconds without data after which a download is given up. */
const patience = 60_000;

/** Explains a failed connection: fetch keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  return cause?.code ?? messageOf(error);
}

/** Fetches a page of an index. @throws Error naming the address */
export async function fetchFrom(url: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, { signal, headers, redirect: "follow" }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new Error(`${url} cannot be reached (${reasonOf(error)}); check the connection, or name a mirror of the registry in npm_config_registry`, { cause: error });
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${answer.statusText}`.trim());
  return answer;
}

/** @throws Error when it cannot be reached, or its checksum is another than the pinned one */
export async function download({ url, integrity }: Source, to: string, { signal, onBytes }: DownloadOptions): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), patience);
  try {
    const answer = await fetchFrom(url, AbortSignal.any([signal, stalled.signal]));
    const [algorithm] = integrity.split("-") as [string];
    const hash = createHash(algorithm);
    const file = await open(to, "w");
    try {
      for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
        timer.refresh();
        hash.update(piece);
        await file.write(piece);
        onBytes(piece.length);
      }
    } finally {
      await file.close();
    }
    const found = `${algorithm}-${hash.digest(algorithm === "sha512" ? "base64" : "hex")}`;
    if (found !== integrity) throw new Error(`${url} is not what Hypertower was tested with: its checksum is ${found}, expected ${integrity}. Nothing was installed`);
  } catch (error) {
    if (stalled.signal.aborted && !signal.aborted) throw new Error(`${url} sent nothing for ${patience / 1000} s`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
