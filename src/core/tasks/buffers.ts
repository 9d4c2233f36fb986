/** A model's buffers as state of a training program. */
import type { Buffer, Forward, Model } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { broadcast, filled, greater, select, state } from "../program/operations/index.ts";

/** Evaluation has its own hidden states and never disturbs training's. */
export type Use = "training" | "evaluation";

function variable({ name, role }: Buffer, use: Use): string {
  return role === "carried" && use === "evaluation" ? `evaluation.${name}` : name;
}

/** Initial values of a model's buffers, by state variable. */
export function initialBuffers({ buffers }: Model): Record<string, number | Float64Array> {
  return Object.fromEntries(
    buffers.flatMap((buffer) => (["training", "evaluation"] as const).map((use) => [variable(buffer, use), buffer.initial] as const)),
  );
}

/**
 * The buffers that a pass reads.
 * @param carry a scalar: above 0 keeps the previous batch's hidden states, otherwise they are reset
 */
export function bufferNodes({ buffers }: Model, batch: number, use: Use, carry: Node | null = null): Record<string, Node> {
  return Object.fromEntries(
    buffers.map((buffer) => {
      if (buffer.role === "statistics") return [buffer.name, state(buffer.name, buffer.shape)];
      if (!carry) throw new Error(`${buffer.name} is carried from batch to batch, which this task does not support`);
      const shape = [batch, ...buffer.shape];
      const goesOn = greater(broadcast(carry, shape), filled(0, shape));
      // select(), not a product: NaN from a diverged batch times 0 is NaN.
      const { initial } = buffer;
      if (typeof initial !== "number") throw new Error(`${buffer.name} is carried and begins with one value for every entry`);
      return [buffer.name, select(goesOn, state(variable(buffer, use), shape), filled(initial, shape))];
    }),
  );
}

/**
 * New values of the state variables that a pass updates. Evaluation leaves running statistics
 * unchanged.
 */
export function bufferUpdates({ buffers }: Model, forward: Forward, use: Use): Record<string, Node> {
  return Object.fromEntries(
    buffers.flatMap((buffer) => {
      const value = forward.buffers[buffer.name];
      return value && (use === "training" || buffer.role === "carried") ? [[variable(buffer, use), value] as const] : [];
    }),
  );
}
