/** What an error of native code means for a run, in words a person can act on. */
import { messageOf } from "../../shared/errors.ts";

/** A run cannot go on because of its engine, not because of what it trains. */
export class EngineFailure extends Error {
  /** `device`: it is gone, and may go again. `memory`: this program does not fit. */
  readonly kind: "device" | "memory";
  constructor(message: string, kind: "device" | "memory", cause: unknown) {
    super(message, { cause });
    this.name = "EngineFailure";
    this.kind = kind;
  }
}

const deviceLost = /device (was |is |has been )?(lost|removed|hung|reset)|lost (the )?device|DEVICE_(LOST|REMOVED|HUNG|RESET)|DEVICE_UNAVAILABLE|unspecified launch failure|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC)|instance dropped/i;
const outOfMemory = /out of memory|bad_alloc|OUT_?OF_?(DEVICE_|HOST_)?MEMORY|failed to allocate|allocation failed|cannot allocate|RESOURCE_EXHAUSTED|Invalid (typed )?array (buffer )?length|memory access out of bounds/i;

/** The error of a step, as an EngineFailure where it is one. */
export function engineFailure(engine: string, error: unknown): unknown {
  const message = messageOf(error);
  const [line] = message.split("\n") as [string];
  if (deviceLost.test(message)) {
    return new EngineFailure(`The device of the engine ${engine} disappeared while it was at work (${line}). Its driver may have been reset; the run can be resumed, on the same engine, from its last checkpoint.`, "device", error);
  }
  if (outOfMemory.test(message)) {
    return new EngineFailure(`The engine ${engine} ran out of memory (${line}). A smaller batch or model needs less; other programs may hold memory of the device.`, "memory", error);
  }
  return error;
}
