/** Reads a release feed: small files over HTTPS, believed only by their signature. */
import { createHash, createPublicKey, verify } from "node:crypto";
import { messageOf } from "../../../shared/errors.ts";
import { releaseInfo, type ReleaseInfo } from "../../../shared/updates.ts";
import { UserError } from "../services.ts";

export interface UpdateSource {
  /** Folder of the newest release's files, ending in a slash. */
  readonly feed: string;
  /** Public ed25519 key (SPKI, base64) that checksums are signed by. */
  readonly key: string;
}

/** Most bytes of each file. */
const limits = { "SHA256SUMS": 64 * 1024, "SHA256SUMS.sig": 1024, "release.json": 512 * 1024 } as const;
const patience = 20_000;

const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\//;

/** @throws UserError for an address that could be read along */
export function requirePrivate(address: string): void {
  if (!address.startsWith("https://") && !loopback.test(address)) throw new UserError(`Updates are read over HTTPS only, not from ${address}.`);
}

/** Opens a file of the feed. @throws UserError naming what failed */
export async function request(source: UpdateSource, name: string, signal: AbortSignal): Promise<Response> {
  const address = new URL(name, source.feed).href;
  requirePrivate(address);
  let response: Response;
  try {
    response = await fetch(address, { signal, headers: { "user-agent": "Hypertower" } });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new UserError(`${new URL(address).host} cannot be reached: ${messageOf(cause)}. Nothing was changed.`, undefined, { cause: error });
  }
  // A redirection leads to where the release's files are kept.
  requirePrivate(response.url);
  if (!response.ok) throw new UserError(`${address} was answered with ${response.status}. Nothing was changed.`);
  return response;
}

/** Reads a body of at most `most` bytes. @throws UserError as soon as it has more */
export async function* limited(response: Response, name: string, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  if (!response.body) return;
  for await (const piece of response.body) {
    bytes += piece.length;
    if (bytes > most) throw new UserError(`${name} has more than ${most} bytes, so it is not used.`);
    yield piece;
  }
}

async function small(source: UpdateSource, name: keyof typeof limits): Promise<Buffer> {
  const signal = AbortSignal.timeout(patience);
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of limited(await request(source, name, signal), name, limits[name])) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} could not be read: ${messageOf(error)}. Nothing was changed.`, undefined, { cause: error });
  }
}

/** Whether the checksums are signed by the key. */
function isSigned(sums: Uint8Array, signature: string, key: string): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
    return publicKey.asymmetricKeyType === "ed25519" && verify(null, sums, publicKey, Buffer.from(signature.trim(), "base64"));
  } catch {
    return false;
  }
}

/** The newest release of a feed. @throws UserError naming what does not fit; nothing of it is used then */
export async function newestRelease(source: UpdateSource): Promise<ReleaseInfo> {
  const sums = await small(source, "SHA256SUMS");
  const signature = await small(source, "SHA256SUMS.sig");
  if (!isSigned(sums, signature.toString("latin1"), source.key)) throw new UserError("The release's checksums are not signed by Hypertower's key, so nothing of it is used.");
  const hashes = new Map(sums.toString("utf8").split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
  const text = await small(source, "release.json");
  if (createHash("sha256").update(text).digest("hex") !== hashes.get("release.json")) throw new UserError("release.json does not have the signed checksum, so it is not used.");
  let read: unknown;
  try {
    read = JSON.parse(text.toString("utf8"));
  } catch (error) {
    throw new UserError(`release.json is not JSON: ${messageOf(error)}`, undefined, { cause: error });
  }
  const parsed = releaseInfo.safeParse(read);
  if (!parsed.success) throw new UserError(`release.json cannot be read by this version: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).slice(0, 3).join("; ")}`);
  const strange = parsed.data.files.find(({ name, sha256 }) => hashes.get(name) !== sha256);
  if (strange) throw new UserError(`${strange.name} has another checksum in release.json than in SHA256SUMS, so the release is not used.`);
  return parsed.data;
}
