/**
 * Memory shared by kernels and ONNX Runtime: arrays in WebAssembly memory, and tensors that view
 * them.
 */
import { Tensor } from "../runtime.ts";
import { sizeOf, type Shape } from "../../../program/node.ts";

/** The parts of the standard interface used here; Node's types omit it. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: Readonly<Record<string, object>>) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** An array of float32 in the arena. */
export interface Block {
  /** Byte offset in the arena. */
  readonly address: number;
  readonly shape: Shape;
  /** A view, replaced when the arena grows. */
  readonly tensor: Tensor;
}

const pageBytes = 65_536;
/** Blocks start and end at cache lines, since a kernel may write up to the next line. */
const lineBytes = 64;
const largestBytes = 2 ** 32 - pageBytes;

export class Arena {
  readonly #memory = new WebAssembly.Memory({ initial: 0 });
  readonly #blocks: { -readonly [K in keyof Block]: Block[K] }[] = [];
  #used = 0;

  /**
   * Allocates zeroed blocks. Growing replaces every block's view, so allocate many at once.
   * @throws Error when they do not fit in 4 GiB; nothing is allocated then
   */
  allocate(shapes: readonly Shape[]): Block[] {
    const bytes = shapes.reduce((sum, shape) => sum + 4 * sizeOf(shape), this.#used);
    if (bytes > largestBytes) {
      throw new Error(`the weights and optimizer state need ${(bytes / 2 ** 30).toFixed(1)} GiB on the ONNX CPU engine; allowed: less than 4`);
    }
    const addresses = shapes.map((shape) => {
      const address = this.#used;
      this.#used += lineBytes * Math.ceil((4 * sizeOf(shape)) / lineBytes);
      return address;
    });
    const missing = this.#used - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / pageBytes));
      for (const block of this.#blocks) block.tensor = this.#view(block.address, block.shape);
    }
    const blocks = shapes.map((shape, i) => ({ address: addresses[i]!, shape, tensor: this.#view(addresses[i]!, shape) }));
    this.#blocks.push(...blocks);
    return blocks;
  }

  /** The function that a module exports as `run`, over this memory. */
  instantiate(module: Uint8Array<ArrayBuffer>): (...args: readonly number[]) => unknown {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory: this.#memory } });
    return exports["run"] as (...args: readonly number[]) => unknown;
  }

  #view(address: number, shape: Shape): Tensor {
    return new Tensor("float32", new Float32Array(this.#memory.buffer, address, sizeOf(shape)), shape);
  }
}
