/**
 * Signals that reach the whole process group: Ctrl+C, a closed terminal, `timeout`, a service manager.
 * The host gets them too and decides what becomes of the runs; a trainer goes when the host closes its port.
 * Imported first, so that no signal finds the trainer without these handlers while it still loads.
 */
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
