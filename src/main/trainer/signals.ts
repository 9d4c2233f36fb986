/**
 * Ctrl+C in a terminal, `timeout`, a scheduler and a service manager signal every process of a group. The host
 * decides what becomes of the runs; a trainer goes when its host does. Import this first, before slower modules load.
 */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
