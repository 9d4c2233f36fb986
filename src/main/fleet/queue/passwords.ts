/** Passwords of queues, in a file of this user alone. */
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseAddress, passwordless } from "./address.ts";

const urls = z.record(z.string(), z.string());

/**
 * URLs that were given with a password are kept in a file of this user alone, so that a study, which knows its queue
 * without the password, goes on there after a restart.
 * @returns the URL with its password, where one is known
 */
export async function keepPassword(url: string, storeFolder: string): Promise<string> {
  const folder = join(storeFolder, "queue");
  const { hasPassword } = parseAddress(url);
  const [path, name] = [join(folder, "urls.json"), passwordless(url)];
  const kept = urls.safeParse(await readFile(path, "utf8").then((text) => JSON.parse(text) as unknown).catch(() => ({}))).data ?? {};
  if (!hasPassword) return kept[name] ?? url;
  if (kept[name] === url) return url;
  await mkdir(folder, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, JSON.stringify({ ...kept, [name]: url }), { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, path);
  return url;
}
