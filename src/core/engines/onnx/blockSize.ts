/**
 * ONNX Runtime has faster convolutions for images whose channels lie in blocks
 * (`[batch, channels / block, height, width, block]`). On its own it uses them only for constant
 * weights, which training does not have, but a graph may contain these operators. Whether they
 * exist, and the block size, depend on the processor, so both are probed.
 */
import { InferenceSession, Tensor, type SessionOptions } from "./runtime.ts";
import { blockedConvolution, scaledChannels } from "./lowering/blocked.ts";
import { GraphWriter, nchwc } from "./lowering/writer.ts";
import { encodeModel } from "./model.ts";

const channels = 64;
const options: SessionOptions = { executionProviders: ["cpu"], intraOpNumThreads: 1, logSeverityLevel: 4 };

let found: Promise<number | null> | undefined;

/** Channels per block; null where the blocked convolutions are missing or wrong. */
export function blockSize(): Promise<number | null> {
  return (found ??= tried().catch(() => null));
}

async function tried(): Promise<number | null> {
  const size = await sizeOfBlock();
  return size !== null && (await convolvesRight(size)) ? size : null;
}

/**
 * Reorders two pixels of many channels: the second pixel's first channel follows the first pixel's
 * block.
 */
async function sizeOfBlock(): Promise<number | null> {
  const write = new GraphWriter(null);
  const output = write.emit("ReorderInput", ["x"], {}, nchwc);
  const reordered = await run(write, { x: new Tensor("float32", Float32Array.from({ length: 2 * channels }, (_, i) => i), [1, channels, 1, 2]) }, output, [1, channels, 1, 2]);
  const size = reordered.indexOf(1);
  return size > 1 && channels % size === 0 ? size : null;
}

/**
 * Checks sums over all channels with a kernel of ones, whose results are known, and the fused
 * operations.
 */
async function convolvesRight(block: number): Promise<boolean> {
  const write = new GraphWriter(block);
  const image = write.emit("ReorderInput", ["x"], {}, nchwc);
  const filters = { out: channels, into: channels, kernel: [3, 3], stride: 1, padding: 1 } as const;
  const convolved = blockedConvolution(image, [1, channels, 2, 2], "w", filters, {}, block, write);
  const [factor, bias] = [write.array("factor", [channels], () => new Float32Array(channels).fill(-2)), write.ones([channels])];
  const rectified = scaledChannels(convolved, factor, channels, { bias, added: convolved, rectified: true }, write);
  const averages = write.emit("GlobalAveragePool", [rectified], {}, nchwc);
  const output = write.emit("Concat", [write.emit("ReorderOutput", [convolved], { channels: { int: channels } }, nchwc), averages].map((name) => write.emit("Reshape", [name, write.integers([-1])])), { axis: { int: 0 } });
  const pixels = 4;
  const x = Float32Array.from({ length: channels * pixels }, (_, i) => (i % 7) - 3);
  const w = new Float32Array(channels * channels * 9).fill(1);
  const found = await run(write, { x: new Tensor("float32", x, [1, channels, 2, 2]), w: new Tensor("float32", w, [channels, channels, 3, 3]) }, output, [channels * (pixels + 1)]);
  const sum = x.reduce((sum, value) => sum + value, 0);
  return found.length === channels * (pixels + 1) && found.every((value, i) => value === (i < channels * pixels ? sum : Math.max(0, 1 - sum)));
}

async function run(write: GraphWriter, feeds: Readonly<Record<string, Tensor>>, output: string, dims: readonly number[]): Promise<Float32Array> {
    const graph = {
    nodes: write.nodes,
    initializers: write.initializers,
    inputs: Object.entries(feeds).map(([name, tensor]) => ({ name, type: "float" as const, dims: tensor.dims })),
    outputs: [{ name: output, type: "float" as const, dims }],
  };
  const session = await InferenceSession.create(encodeModel(graph), options);
  try {
    return Float32Array.from((await session.run(feeds))[output]!.data as Float32Array);
  } finally {
    await session.release();
  }
}
