/** Exit codes of a worker that scripts of schedulers know. */

/** Units were left to be continued. */
export const exitCodeLeft = 6;
/** The machine cannot train the unit. */
export const exitCodeUnable = 7;
