/**
 * Ctrl+C in a terminal, `timeout`, schedulers and service managers signal a whole process group.
 * The
 * host decides what happens to runs, and trainers exit with it. Import this first, before slow
 * modules.
 */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
// Schedulers announce the end of a job with it.
if (process.platform !== "win32") process.on("SIGUSR2", () => undefined);
