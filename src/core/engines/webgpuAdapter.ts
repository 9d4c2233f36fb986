/** What WebGPU says of the graphics device it would use. ONNX Runtime says nothing of its own, and takes the same one. */

export interface Adapter {
  readonly device: string;
  readonly driver: string | null;
}

export const noAdapter = "no graphics device that WebGPU can use was found: a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS) is needed";

/** @throws Error when there is no such device */
export async function webgpuAdapter(): Promise<Adapter> {
  const { create } = await import("webgpu");
  const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error(noAdapter);
  const { vendor, architecture, device, description } = adapter.info;
  return { device: [vendor, architecture || device].filter(Boolean).join(" ") || "WebGPU device", driver: description || null };
}
