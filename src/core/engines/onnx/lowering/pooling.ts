/**
 * Max pooling of blocked images and its gradient, as comparisons of whole arrays: columns, then
 * rows. ONNX Runtime's operator that also returns the indices handles each value by itself, which
 * takes several times as long.
 */
import type { NodeOf } from "../../../program/node.ts";
import type { GraphWriter } from "./writer.ts";

/** Maximum of several arrays; `wins` has 1 where an array beats all before it, else 0. */
interface Contest {
  readonly largest: string;
  readonly wins: readonly string[];
}

/** 1 where x is positive, else 0. */
export function writeMask(x: string, write: GraphWriter): string {
  // min(1, max(0, x / 3e-39)) in one pass; a comparison and a cast are two slower ones. No nonzero
  // sum is that small.
  return write.once("HardSigmoid", [x], { alpha: { float: 3e38 }, beta: { float: 0 } });
}

function contest(parts: readonly string[], write: GraphWriter): Contest {
  let largest = parts[0]!;
  const wins = parts.slice(1).map((part) => {
    const win = writeMask(write.once("Sub", [part, largest]), write);
    largest = write.once("Max", [largest, part]);
    return win;
  });
  return { largest, wins };
}

/** Splits an adjoint among a contest's arrays. */
function shares(adjoint: string, wins: readonly string[], write: GraphWriter): string[] {
  let left = adjoint;
  const taken = [...wins].reverse().map((win) => {
    const share = write.emit("Mul", [left, win]);
    left = write.emit("Sub", [left, share]);
    return share;
  });
  return [left, ...taken.reverse()];
}

interface Windows {
  readonly columns: Contest;
  readonly rows: Contest;
  /** Images times channel blocks. */
  readonly planes: number;
  readonly high: number;
  readonly wide: number;
}

type Pooling = NodeOf<"maxPool2d"> | NodeOf<"maxPool2dGradient">;

/** The windows, shared by the pooling and its gradient. */
function windowsOf(node: Pooling, size: number, image: string, block: number, write: GraphWriter): Windows {
  const [batch, channels, height, width] = node.inputs[0]!.shape as [number, number, number, number];
  const [planes, high, wide] = [(batch * channels) / block, Math.floor(height / size), Math.floor(width / size)];
  const reshaped = (name: string, shape: readonly number[]) => write.once("Reshape", [name, write.integers(shape)]);
  const lines = reshaped(image, [planes, height, width * block]);
  const isWhole = high * size === height && wide * size === width;
  const ends = [high * size, wide * size * block];
  const cut = isWhole ? lines : write.once("Slice", [lines, write.integers([0, 0]), write.integers(ends), write.integers([1, 2])]);
  const columns = contest(split(reshaped(cut, [planes * high * size, wide, size * block]), size, 2, write), write);
  const rows = contest(split(reshaped(columns.largest, [planes * high, size, wide * block]), size, 1, write), write);
  return { columns, rows, planes, high, wide };
}

const split = (value: string, size: number, axis: number, write: GraphWriter) =>
  size === 1 ? [value] : write.emitOnce("Split", [value], size, { axis: { int: axis }, num_outputs: { int: size } });

/** Max pooling of a blocked image over windows side by side. */
export function blockedMaxima(node: NodeOf<"maxPool2d">, size: number, image: string, block: number, write: GraphWriter): string {
  return write.emit("Reshape", [windowsOf(node, size, image, block, write).rows.largest, write.integers(node.shape)]);
}

/** Gradient of a blocked image from the gradient of its maxima. */
export function blockedMaximaGradient(node: NodeOf<"maxPool2dGradient">, size: number, image: string, adjoint: string, block: number, write: GraphWriter): string {
  const { columns, rows, planes, high, wide } = windowsOf(node, size, image, block, write);
  const [, , height, width] = node.shape as [number, number, number, number];
  const reshaped = (name: string, shape: readonly number[]) => write.emit("Reshape", [name, write.integers(shape)]);
  const joined = (parts: readonly string[], axis: number) => (parts.length === 1 ? parts[0]! : write.emit("Concat", parts, { axis: { int: axis } }));
  const ofRows = joined(shares(reshaped(adjoint, [planes * high, 1, wide * block]), rows.wins, write), 1);
  const ofColumns = joined(shares(reshaped(ofRows, [planes * high * size, wide, block]), columns.wins, write), 2);
  const lines = reshaped(ofColumns, [planes, high * size, wide * size * block]);
  const missing = [0, height - high * size, (width - wide * size) * block];
  const whole = missing.every((n) => n === 0) ? lines : write.emit("Pad", [lines, write.integers([0, 0, 0, ...missing])]);
  return reshaped(whole, node.shape);
}
