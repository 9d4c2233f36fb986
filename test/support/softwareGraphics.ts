/**
 * A graphics device for machines without one: SwiftShader, Vulkan on the processor, which Chromium
 * brings along. Import it before anything loads WebGPU; processes started later have it too.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const places = ["/usr/lib/chromium/libvk_swiftshader.so", "/usr/lib64/chromium-browser/libvk_swiftshader.so", "/opt/google/chrome/libvk_swiftshader.so"];

/** The library that finds Vulkan drivers: Debian's libvulkan1, whatever the architecture's folder is called. */
const loaders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"].map((folder) => join(folder, "libvulkan.so.1"));

/** Where it is; null without it, or without a way to find it. */
export const swiftShader = loaders.some((place) => existsSync(place)) ? (places.find((place) => existsSync(place)) ?? null) : null;

if (swiftShader !== null && process.env["VK_DRIVER_FILES"] === undefined) {
  const folder = join(tmpdir(), "hypertower-tests");
  const icd = join(folder, "swiftshader-icd.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(icd, JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: swiftShader, api_version: "1.1.0" } }));
  process.env["VK_DRIVER_FILES"] = process.env["VK_ICD_FILENAMES"] = icd;
}
