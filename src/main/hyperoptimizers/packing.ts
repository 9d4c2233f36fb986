/**
 * Small parameters (biases, last layers) share one flat vector, so that an update
 * is a handful of operations instead of a handful per parameter; large ones stay
 * as they are, because cutting them out of a vector would copy them every step.
 */
import { sameShape, sizeOf, type Node, type Shape } from "../program/node.ts";
import { reshape, slice } from "../program/operations/index.ts";
import type { Weights } from "./tower.ts";

/** Parameters of at least this many values are not packed: a copy of fewer costs less than a node. */
const aloneFrom = 16_384;

interface Named {
  readonly name: string;
  readonly shape: Shape;
}

interface Place {
  readonly pack: number;
  readonly offset: number;
}

export class Packing {
  readonly packs: readonly Weights[];
  readonly #parameters: readonly Named[];
  readonly #places: readonly Place[];

  constructor(parameters: readonly Named[]) {
    const small = parameters.filter(({ shape }) => sizeOf(shape) < aloneFrom);
    const shared = small.length > 1 ? small : [];
    const alone = parameters.filter((parameter) => !shared.includes(parameter));
    const sharedSize = shared.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    this.#parameters = parameters;
    this.packs = [
      ...alone.map(({ name, shape }) => ({ name, shape })),
      ...(shared.length > 0 ? [{ name: "small", shape: [sharedSize] }] : []),
    ];
    let offset = 0;
    this.#places = parameters.map((parameter) => {
      const own = alone.indexOf(parameter);
      if (own >= 0) return { pack: own, offset: 0 };
      const place = { pack: alone.length, offset };
      offset += sizeOf(parameter.shape);
      return place;
    });
  }

  /** Nodes of the parameters, cut out of nodes of the packs. */
  unpack(packs: readonly Node[]): Node[] {
    return this.#parameters.map(({ shape }, i) => {
      const { pack, offset } = this.#places[i]!;
      const whole = packs[pack]!;
      return sameShape(whole.shape, shape) ? whole : reshape(slice(whole, 0, offset, offset + sizeOf(shape)), shape);
    });
  }

  /** Values of the packs from values of the parameters, by name. */
  packValues(values: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    const packed = Object.fromEntries(this.packs.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]));
    this.#parameters.forEach(({ name, shape }, i) => {
      const value = values[name];
      if (value?.length !== sizeOf(shape)) throw new Error(`parameter ${name} needs ${sizeOf(shape)} values`);
      const { pack, offset } = this.#places[i]!;
      packed[this.packs[pack]!.name]!.set(value, offset);
    });
    return packed;
  }

  /** Values of the parameters by name, from values of the packs in order. */
  unpackValues(packs: readonly Float64Array[]): Record<string, Float64Array> {
    return Object.fromEntries(
      this.#parameters.map(({ name, shape }, i) => {
        const { pack, offset } = this.#places[i]!;
        return [name, packs[pack]!.slice(offset, offset + sizeOf(shape))];
      }),
    );
  }
}
