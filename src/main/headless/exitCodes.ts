/** Exit codes of every command. */
import { exitCodeLeft, exitCodeUnable } from "../../shared/fleet/exitCodes.ts";

export const exitCodes = { ok: 0, error: 1, diverged: 3, different: 4, damaged: 5, left: exitCodeLeft, unable: exitCodeUnable, interrupted: 130 } as const;
