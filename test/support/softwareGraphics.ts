/**
 * A graphics device for machines without one: SwiftShader, Vulkan on the processor, which comes with
 * Chromium. Import this file before anything loads WebGPU; child processes inherit the setting.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const places = ["/usr/lib/chromium/libvk_swiftshader.so", "/usr/lib64/chromium-browser/libvk_swiftshader.so", "/opt/google/chrome/libvk_swiftshader.so"];

/** The Vulkan loader: Debian's libvulkan1, in the folder of any architecture. */
const loaders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"].map((folder) => join(folder, "libvulkan.so.1"));

/** Path of SwiftShader's driver file; null without SwiftShader or without the loader. */
export const swiftShader = loaders.some((place) => existsSync(place)) ? (places.find((place) => existsSync(place)) ?? null) : null;

if (swiftShader !== null && process.env["VK_DRIVER_FILES"] === undefined) {
  const folder = join(tmpdir(), "hypertower-tests");
  const icd = join(folder, "swiftshader-icd.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(icd, JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: swiftShader, api_version: "1.1.0" } }));
  process.env["VK_DRIVER_FILES"] = process.env["VK_ICD_FILENAMES"] = icd;
}
