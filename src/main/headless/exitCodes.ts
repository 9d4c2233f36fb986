/** Exit codes of every command. */
export const exitCodes = { ok: 0, error: 1, diverged: 3, different: 4, damaged: 5, left: 6, unable: 7, interrupted: 130 } as const;
