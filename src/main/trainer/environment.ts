/** What a run ran on, recorded with it. */
import { execFile } from "node:child_process";
import { cpus, platform, release, arch } from "node:os";
import { promisify } from "node:util";
import type { EngineUse } from "../../shared/engines.ts";
import type { Environment } from "../../shared/run.ts";
import packageJson from "../../../package.json" with { type: "json" };

let commit: Promise<string | null> | undefined;

/** Commit of the program's own checkout; null where it was installed without one. */
async function gitCommit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, timeout: 2_000 });
    return stdout.trim() || null;
  } catch {
    // No git, or no checkout: both are fine, and there is then no commit to name.
    return null;
  }
}

/** @param engine what a run trains on; where nothing is trained, there is none */
export async function describeEnvironment(libraries: Readonly<Record<string, string>>, engine?: EngineUse): Promise<Environment> {
  return {
    hypertower: packageJson.version,
    node: process.versions.node,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    libraries: { ...libraries },
    ...(engine && { engine }),
    // Asked once: a trainer that is warm describes itself for every run.
    gitCommit: await (commit ??= gitCommit()),
  };
}
