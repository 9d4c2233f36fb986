/** The GPU that WebGPU would use. ONNX Runtime uses the same one but does not name it. */
import type { Unavailable } from "./failures.ts";

export interface Adapter {
  readonly device: string;
  readonly driver: string | null;
}

export const noAdapter: Unavailable = { unavailable: "no graphics device for WebGPU found; install a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS)" };

export async function webgpuAdapter(): Promise<Adapter | Unavailable> {
  const { create } = await import("webgpu");
  const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return noAdapter;
  const { vendor, architecture, device, description } = adapter.info;
  return { device: [vendor, architecture || device].filter(Boolean).join(" ") || "WebGPU device", driver: description || null };
}
