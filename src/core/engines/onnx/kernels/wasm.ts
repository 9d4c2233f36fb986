/**
 * Writes WebAssembly modules with one function over imported memory
 * (https://webassembly.github.io/spec/core/binary).
 */

export const valueType = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueType;

/** LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) | (rest > 0 ? 0x80 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const done = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0);
    bytes.push(low | (done ? 0 : 0x80));
    if (done) return bytes;
  }
}

const float32 = (value: number) => [...new Uint8Array(Float32Array.of(value).buffer)];
const int32 = (value: number) => [...new Uint8Array(Int32Array.of(value).buffer)];
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];

/** The instructions that kernels need; operands come from the stack, as in the text format. */
export const op = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  select: [0x1b],
  i32Const: (value: number) => [0x41, ...signed(value)],
  i32Add: [0x6a],
  i32Less: [0x49],
  f64Add: [0xa0],
  f64Promote: [0xbb],
  load: (offset: number) => [...simd(0x00), 4, ...unsigned(offset)],
  store: (offset: number) => [...simd(0x0b), 4, ...unsigned(offset)],
  /** Four equal floats. */
  floats: (value: number) => [...simd(0x0c), ...[0, 0, 0, 0].flatMap(() => float32(value))],
  /** Ones in the first `lanes` of four lanes. */
  mask: (lanes: number) => [...simd(0x0c), ...[0, 1, 2, 3].flatMap((lane) => int32(lane < lanes ? -1 : 0))],
  splat: simd(0x13),
  lane: (lane: number) => [...simd(0x1f), lane],
  and: simd(0x4e),
  /** The first operand where the third has ones, else the second. */
  bitselect: simd(0x52),
  equal: simd(0x41),
  greater: simd(0x44),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9),
  loop: [0x03, 0x40],
  /** Back to the start of the loop if the number on the stack is not 0, else continue. */
  again: [0x0d, 0, 0x0b],
} as const;

export interface WasmFunction {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Types of the locals that follow the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: readonly number[];
}

const list = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()];
const named = (name: string) => [...unsigned(name.length), ...new TextEncoder().encode(name)];
const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content];

/** A module that imports the memory `env.memory` and exports the function as `run`. */
export function moduleOf({ parameters, results, locals, body }: WasmFunction): Uint8Array<ArrayBuffer> {
  const types = (names: readonly ValueType[]) => list(names.map((name) => [valueType[name]]));
  const code = [...list(locals.map((name) => [1, valueType[name]])), ...body, 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...types(parameters), ...types(results)]])),
    ...section(2, list([[...named("env"), ...named("memory"), 0x02, 0x00, 0]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...named("run"), 0x00, 0]])),
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}
