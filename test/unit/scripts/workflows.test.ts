/** The workflows are YAML that says what it should: pinned actions, scripts that exist, rights no wider than needed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { sectionOf } from "../../../scripts/release/changelog.mjs";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Record<string, string>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

const root = join(import.meta.dirname, "../../..");
const folder = join(root, ".github/workflows");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));

it("there are workflows for checks and releases", () => expect(files).toEqual(expect.arrayContaining(["ci.yml", "release.yml"])));

describe.each(files)("%s", (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  it("pins every action by its full commit, and names the version", () => {
    for (const line of text.split("\n").filter((one) => /\buses:/.test(one))) expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("runs only scripts that package.json has, and only files that exist", () => {
    const commands = steps.map(({ run = "" }) => run).join("\n");
    for (const [, script] of commands.matchAll(/npm run (?:-s )?([\w:-]+)/g)) expect(scripts).toHaveProperty(script!);
    for (const [, file] of commands.matchAll(/\bnode ([\w./-]+\.m?[jt]s)/g)) expect(existsSync(join(root, file!)), file).toBe(true);
  });

  it("reads the repository alone unless a job says otherwise, keeps no credentials, and ends at some time", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    for (const [job, { "timeout-minutes": minutes, needs = [] }] of jobs) {
      expect(minutes, job).toBeGreaterThan(0);
      for (const needed of [needs].flat()) expect(Object.keys(workflow.jobs)).toContain(needed);
    }
    for (const { uses = "", with: options } of steps) if (uses.startsWith("actions/checkout@")) expect(options).toMatchObject({ "persist-credentials": false });
  });

  it("puts nothing that others write into a shell", () => {
    for (const { run = "" } of steps) expect(run).not.toMatch(/\$\{\{ *(github\.(event|head_ref|ref_name)|secrets\.)/);
  });
});

it("scripts of package.json start files that exist", () => {
  for (const [script, command] of Object.entries(scripts)) {
    for (const [, file] of command.matchAll(/\bnode ([\w./-]+\.m?[jt]s)\b/g)) if (!file!.startsWith("node_modules")) expect(existsSync(join(root, file!)), `${script}: ${file!}`).toBe(true);
  }
});

it("finds the notes of a version in the changelog", () => {
  const changelog = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-11-30\n\n### Added\n\n- Packages\n\n## [1.1.0] - 2026-10-01\n\n- First\n\n[1.1.0]: https://example.com\n";
  expect(sectionOf(changelog, "1.2.0")).toEqual({ date: "2026-11-30", notes: "### Added\n\n- Packages" });
  expect(sectionOf(changelog, "1.1.0")).toEqual({ date: "2026-10-01", notes: "- First" });
  expect(sectionOf(changelog, "1.0.0")).toBeNull();
  expect(sectionOf(changelog, "Unreleased")).toBeNull();
});
