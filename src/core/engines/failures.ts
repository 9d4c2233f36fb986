/** Failures of an engine rather than of the program it trains. */
import type { EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";

/** Returned in place of an engine, device or library that this machine lacks. */
export interface Unavailable {
  /** What is missing and how to get it. */
  readonly unavailable: string;
}

/** This machine lacks the requested engine. */
export class EngineUnavailable extends Error {
  readonly kind: EngineKind;
  /** What is missing and how to get it. */
  readonly why: string;
  constructor(kind: EngineKind, why: string, cause?: unknown) {
    super(`The engine ${kind} cannot be used here: ${why}`, { cause });
    this.name = "EngineUnavailable";
    this.kind = kind;
    this.why = why;
  }
}

/** A step failed because of the engine, not the program. */
export class EngineFailure extends Error {
  /** `device`: the device is lost for every program. `memory`: this program does not fit. */
  readonly kind: "device" | "memory";
  constructor(message: string, kind: "device" | "memory", cause: unknown) {
    super(message, { cause });
    this.name = "EngineFailure";
    this.kind = kind;
  }
}

const deviceLost = /device (was |is |has been )?(lost|removed|hung|reset)|lost (the )?device|DEVICE_(LOST|REMOVED|HUNG|RESET)|DEVICE_UNAVAILABLE|unspecified launch failure|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC)|instance dropped/i;
const outOfMemory = /out of memory|bad_alloc|OUT_?OF_?(DEVICE_|HOST_)?MEMORY|failed to allocate|allocation failed|cannot allocate|RESOURCE_EXHAUSTED|Invalid (typed )?array (buffer )?length|memory access out of bounds/i;

/** Recognizes native errors, which have nothing but text; returns any other error unchanged. */
export function engineFailure(engine: string, error: unknown): unknown {
  if (error instanceof EngineUnavailable) return error;
  const message = messageOf(error);
  const [line] = message.split("\n") as [string];
  if (deviceLost.test(message)) {
    return new EngineFailure(`The device of the engine ${engine} was lost during training (${line}). Its driver may have been reset. Resume the run on the same engine from its last checkpoint.`, "device", error);
  }
  if (outOfMemory.test(message)) {
    return new EngineFailure(`The engine ${engine} ran out of memory (${line}). Reduce the batch or the model, or free device memory used by other programs.`, "memory", error);
  }
  return error;
}
