/** Key of stored measurements: they are repeated when it changes. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { release } from "node:os";
import { promisify } from "node:util";

/** The processor, the system, the graphics cards with their drivers, and the version of Hypertower, in one line. */
export async function machineSignature(processor: string, version: string): Promise<string> {
  const chosen = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "CUDA_VISIBLE_DEVICES"].flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  const parts = [processor, `${process.platform} ${release()}`, ...(await graphics()), ...chosen, `hypertower ${version}`];
  return parts.join(", ");
}

async function graphics(): Promise<string[]> {
  try {
    if (process.platform === "linux") return await linuxGraphics();
    if (process.platform === "win32") return await windowsDrivers();
  } catch {
    // Unknown drivers: a change is noticed only when measurements expire.
  }
  // The macOS release determines its drivers.
  return [];
}

async function linuxGraphics(): Promise<string[]> {
  const read = (file: string) => readFile(file, "utf8").then((text) => text.trim(), () => "");
  const list = (folder: string) => readdir(folder).catch(() => []);
  const cards = (await list("/sys/class/drm")).filter((name) => /^card\d+$/.test(name));
  const ids = await Promise.all(cards.map(async (card) => `${await read(`/sys/class/drm/${card}/device/vendor`)}:${await read(`/sys/class/drm/${card}/device/device`)}`));
  const nvidia = (await read("/proc/driver/nvidia/version")).split("\n")[0]!;
  const vulkan = await list("/usr/share/vulkan/icd.d");
  return [...ids, nvidia, vulkan.sort().join(" ")].filter((part) => part !== "");
}

/** Driver versions of display devices. */
async function windowsDrivers(): Promise<string[]> {
  const key = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}";
  const { stdout } = await promisify(execFile)("reg", ["query", key, "/s", "/v", "DriverVersion"], { timeout: 3_000 });
  return [...stdout.matchAll(/DriverVersion\s+REG_SZ\s+(\S+)/g)].map(([, driver]) => `driver ${driver!}`);
}
