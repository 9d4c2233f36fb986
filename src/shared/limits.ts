/** Limits that the command line checks before it loads a schema. */
export const maxWorkers = 256;
/** Maximum number of runs trained as one program. */
export const maxCohort = 1_024;
export const maxSeeds = 1_000;
