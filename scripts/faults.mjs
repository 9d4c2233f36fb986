/** `npm run test:faults`: builds the program where it has changed, then runs the fault harness on the project's Node. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, localNode, root, runMain } from "./setup.mjs";

async function main() {
  await ensureInstalled();
  await ensureBuilt();
  const child = spawn(localNode(), [join(root, "test", "faults", "faults.ts"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
  // Ctrl+C reaches the harness as well, which ends its round and prints the table.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
  return new Promise((done) => child.on("close", (code) => done(code ?? 1)));
}

await runMain(main);
