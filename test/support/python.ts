/** Runs Python, to test generated code. */
import { spawnSync } from "node:child_process";

const candidates = [process.env["HYPERTOWER_PYTHON"], "python3", "/usr/bin/python3", "python"].filter((name) => name !== undefined);

/** Path of a Python that can import these modules; undefined if there is none. */
export function findPython(...modules: readonly string[]): string | undefined {
  const code = modules.length === 0 ? "pass" : `import ${modules.join(", ")}`;
  return candidates.find((python) => spawnSync(python, ["-c", code], { stdio: "ignore" }).status === 0);
}

/** Runs Python source with a JSON value on standard input. Returns its standard output. @throws Error with its standard error when it fails */
export function runPython(python: string, source: string, input: unknown): string {
  const { error, status, stdout, stderr } = spawnSync(python, ["-c", source], { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 2 ** 26 });
  if (error || status !== 0) throw error ?? new Error(stderr);
  return stdout;
}
