/** The GPU that WebGPU would use. ONNX Runtime uses the same one but does not name it. */
import type * as Dawn from "webgpu";
import { messageOf } from "../../shared/errors.ts";
import { ExtraMissing, importExtra } from "../extras/index.ts";
import type { Unavailable } from "./failures.ts";

export interface Adapter {
  readonly device: string;
  readonly driver: string | null;
}

export const noAdapter: Unavailable = { unavailable: "no graphics device for WebGPU found; install a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS)" };

export async function webgpuAdapter(): Promise<Adapter | Unavailable> {
  const dawn = await importExtra<typeof Dawn>("webgpu").catch((error: unknown) => {
    if (error instanceof ExtraMissing) return { unavailable: messageOf(error) };
    throw error;
  });
  if ("unavailable" in dawn) return dawn;
  const { create } = dawn;
  const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return noAdapter;
  const { vendor, architecture, device, description } = adapter.info;
  return { device: [vendor, architecture || device].filter(Boolean).join(" ") || "WebGPU device", driver: description || null };
}
