/** Memory of an engine's device. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { promisify } from "node:util";

/** Bytes; null where the system does not report it. */
export async function deviceMemory(runsOn: "processor" | "graphics"): Promise<number | null> {
  if (runsOn === "processor") return totalmem();
  return (await nvidiaMemory()) ?? (await linuxCardMemory());
}

async function nvidiaMemory(): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", ["--query-gpu=memory.total", "--format=csv,noheader,nounits"], { timeout: 3_000 });
    const mebibytes = Number(stdout.split("\n")[0]);
    return mebibytes > 0 ? mebibytes * 2 ** 20 : null;
  } catch {
    // No NVIDIA card, or a driver without nvidia-smi.
    return null;
  }
}

/** As reported by the kernel's AMD driver. */
async function linuxCardMemory(): Promise<number | null> {
  try {
    const cards = (await readdir("/sys/class/drm")).filter((name) => /^card\d+$/.test(name));
    const sizes = await Promise.all(cards.map((card) => readFile(`/sys/class/drm/${card}/device/mem_info_vram_total`, "utf8").then(Number, () => 0)));
    return Math.max(0, ...sizes) || null;
  } catch {
    return null;
  }
}
