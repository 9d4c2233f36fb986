/** Scripts in a process of Electron, which a process of Node stands in for: it too is kept alive by its port. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { runScript } from "../../../src/main/desktop/runScript.ts";

vi.mock("electron", () => ({
  utilityProcess: {
    fork(entry: string, args: string[], options: { cwd?: string; env: NodeJS.ProcessEnv }): ChildProcess {
      // As in Electron, the other end of the port keeps the process alive.
      const alive = join(folder, "alive.cjs");
      writeFileSync(alive, 'process.on("message", () => undefined);');
      return fork(entry, args, { ...options, stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: ["-r", alive] });
    },
  },
}));

const folder = mkdtempSync(join(tmpdir(), "hypertower-script-test-"));
const temporary = mkdtempSync(join(folder, "tmp-"));
beforeEach(() => {
  for (const name of ["TMPDIR", "TEMP"]) vi.stubEnv(name, temporary);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
const script = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const signal = () => new AbortController().signal;

it("gives it its arguments, folder and environment, and ends when it is done", async () => {
  const path = script("works.cjs", 'setTimeout(() => console.log(JSON.stringify([process.argv.slice(2), process.cwd(), process.env.GIVEN])), 600);');
  const said = await runScript(path, ["cpu", "download"], { signal: signal(), cwd: folder, env: { GIVEN: "1" } });
  expect(JSON.parse(said)).toEqual([["cpu", "download"], folder, "1"]);
});

it("says what a script said that fails", async () => {
  const path = script("fails.cjs", 'throw new Error("no such file on the server")');
  await expect(runScript(path, [], { signal: signal() })).rejects.toThrow("no such file on the server");
});

it("ends a script when it is canceled, and leaves nothing", async () => {
  const abort = new AbortController();
  const running = runScript(script("waits.cjs", "setInterval(() => undefined, 1000); setInterval(() => undefined, 1000);"), [], { signal: abort.signal });
  setTimeout(() => abort.abort(new Error("canceled")), 300);
  await expect(running).rejects.toThrow("canceled");
  expect(readdirSync(temporary)).toEqual([]);
});
