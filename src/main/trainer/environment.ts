/** The environment recorded with a run. */
import { execFile } from "node:child_process";
import { cpus, platform, release, arch } from "node:os";
import { promisify } from "node:util";
import type { EngineUse } from "../../shared/engines.ts";
import type { Environment } from "../../shared/run.ts";
import packageJson from "../../../package.json" with { type: "json" };

let commit: Promise<string | null> | undefined;

/** Commit of the program's checkout; null without a checkout. */
async function gitCommit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, timeout: 2_000 });
    return stdout.trim() || null;
  } catch {
    // Without git or a checkout there is no commit.
    return null;
  }
}

/** @param engine engine that trains the run; undefined where nothing is trained */
export async function describeEnvironment(libraries: Readonly<Record<string, string>>, engine?: EngineUse): Promise<Environment> {
  return {
    hypertower: packageJson.version,
    node: process.versions.node,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    libraries: { ...libraries },
    ...(engine && { engine }),
    // Queried once: a warm trainer describes itself for every run.
    gitCommit: await (commit ??= gitCommit()),
  };
}
