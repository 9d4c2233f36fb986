/** Loaded before a workbench: should the test's process die, none of its own is left behind. */
process.on("disconnect", () => process.exit(1));
process.channel?.unref();
