/**
 * Packs small parameters (biases, last layers) into one flat vector, so that an update takes a
 * few operations rather than a few per parameter. Large parameters stay separate: cutting them
 * out of a vector would copy them every step.
 */
import { nameInLevel } from "../../shared/groups.ts";
import { sameShape, sizeOf, type Node, type Shape } from "../program/node.ts";
import { reshape, slice, state } from "../program/operations/index.ts";
import type { Weights } from "./tower.ts";

/**
 * Parameters of at least this size are not packed: copying a smaller one costs less than a node.
 */
const aloneFrom = 16_384;

export interface PackedParameter {
  readonly name: string;
  readonly shape: Shape;
  /** Group of level 0 that it belongs to, or null. */
  readonly group: string | null;
  /** Never moved, and not packed. */
  readonly frozen: boolean;
  /** Its update depends on its shape: not packed. */
  readonly ownShape?: boolean;
}

interface PackSlice {
  readonly pack: number;
  readonly offset: number;
}

export class Packing {
  /** Large parameters alone, then the small parameters of each group together; no frozen ones. */
  readonly packs: readonly Weights[];
  readonly frozen: readonly Weights[];
  readonly #parameters: readonly PackedParameter[];
  readonly #places: readonly PackSlice[];

  constructor(parameters: readonly PackedParameter[]) {
    const small = parameters.filter(({ shape, frozen, ownShape }) => !frozen && !ownShape && sizeOf(shape) < aloneFrom);
    const groups = [...new Set(small.map(({ group }) => group))];
    const shared = groups.map((one) => small.filter(({ group }) => group === one)).filter((members) => members.length > 1);
    const alone = parameters.filter((parameter) => !parameter.frozen && !shared.some((members) => members.includes(parameter)));
    const frozen = parameters.filter((parameter) => parameter.frozen);
    const asPack = ({ name, shape, group }: PackedParameter): Weights => ({ name, shape, group });
    const sharedPack = (members: readonly PackedParameter[]): Weights => {
      const { group } = members[0]!;
      return { name: nameInLevel("small", group), shape: [totalSize(members)], group };
    };
    this.#parameters = parameters;
    this.packs = [...alone.map(asPack), ...shared.map(sharedPack)];
    this.frozen = frozen.map(asPack);
    const contents = [...alone.map((one) => [one]), ...shared, ...frozen.map((one) => [one])];
    this.#places = parameters.map((parameter) => {
      const pack = contents.findIndex((members) => members.includes(parameter));
      const members = contents[pack]!;
      return { pack, offset: totalSize(members.slice(0, members.indexOf(parameter))) };
    });
  }

  /** Slices the parameters out of moved packs; frozen parameters come from the state. */
  unpack(moved: readonly Node[]): Node[] {
    const packs = [...moved, ...this.frozen.map(({ name, shape }) => state(name, shape))];
    return this.#parameters.map(({ shape }, i) => {
      const { pack, offset } = this.#places[i]!;
      const whole = packs[pack]!;
      return sameShape(whole.shape, shape) ? whole : reshape(slice(whole, 0, offset, offset + sizeOf(shape)), shape);
    });
  }

  /** Values of the packs and frozen parameters by name, from values of the parameters. */
  packValues(values: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    const packs = [...this.packs, ...this.frozen];
    const packed = Object.fromEntries(packs.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]));
    this.#parameters.forEach(({ name, shape }, i) => {
      const value = values[name];
      if (value?.length !== sizeOf(shape)) throw new Error(`parameter ${name} needs ${sizeOf(shape)} values`);
      const { pack, offset } = this.#places[i]!;
      packed[packs[pack]!.name]!.set(value, offset);
    });
    return packed;
  }

  /**
   * Values of the parameters by name, from the packs in order followed by the frozen parameters.
   */
  unpackValues(packs: readonly Float64Array[]): Record<string, Float64Array> {
    return Object.fromEntries(
      this.#parameters.map(({ name, shape }, i) => {
        const { pack, offset } = this.#places[i]!;
        return [name, packs[pack]!.slice(offset, offset + sizeOf(shape))];
      }),
    );
  }
}

function totalSize(parameters: readonly PackedParameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
