/** `npm run audit`: which answers of the registry stop a release. `auditAnswer.json` is npm's own, to made-up advisories. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { acceptedProblems, judgeAdvisories, judgeElectron, type Accepted } from "../../../scripts/supply/judge.mjs";
import { readLock } from "../../../scripts/supply/packages.mjs";
import { serveAdvisories, type Advisory } from "../../support/advisoryRegistry.ts";
import { everything } from "../../support/edition.ts";

const root = join(import.meta.dirname, "../../..");
const answer = JSON.parse(readFileSync(join(import.meta.dirname, "auditAnswer.json"), "utf8")) as unknown;
const today = new Date("2027-01-15T12:00:00Z");
const accept = (id: string, of: string, until = "2027-03-01"): Accepted => ({ id, package: of, reason: "only reached by a file that the app wrote", until });
const loop = accept("GHSA-0000-0000-0001", "tar-stream");
const sign = accept("GHSA-0000-0000-0002", "long");

describe("known vulnerabilities", () => {
  it("stop a release, each once, with what to do", () => {
    expect(judgeAdvisories(answer, [], today)).toEqual({
      problems: [
        "long *: Wrong sign (low, https://github.com/advisories/GHSA-0000-0000-0002); update it, or explain it in scripts/supply/advisories.json",
        "tar-stream <=3.2.0: Endless loop on a truncated archive (high, https://github.com/advisories/GHSA-0000-0000-0001); update it, or explain it in scripts/supply/advisories.json",
      ],
      remarks: [],
    });
  });

  it("that are explained do not, and are named with their reason and date", () => {
    expect(judgeAdvisories(answer, [loop, sign], today)).toEqual({
      problems: [],
      remarks: [
        "GHSA-0000-0000-0002 in long, accepted until 2027-03-01: only reached by a file that the app wrote",
        "GHSA-0000-0000-0001 in tar-stream, accepted until 2027-03-01: only reached by a file that the app wrote",
      ],
    });
  });

  it("stop it beside others that are explained", () => {
    expect(judgeAdvisories(answer, [sign], today).problems).toEqual([expect.stringMatching(/^tar-stream/)]);
  });

  it("of another package than the one that was explained stop it", () => {
    expect(judgeAdvisories(answer, [accept(loop.id, "long"), sign], today).problems).toEqual([expect.stringMatching(/^tar-stream/)]);
  });

  it("that are gone are to be removed from the list, which stops nothing", () => {
    const none = { auditReportVersion: 2, vulnerabilities: {} };
    expect(judgeAdvisories(none, [loop], today)).toEqual({ problems: [], remarks: ["GHSA-0000-0000-0001 is no longer reported: remove it from scripts/supply/advisories.json"] });
    expect(judgeAdvisories(none, [], today)).toEqual({ problems: [], remarks: [] });
  });

  it("that nobody answered for stop it: no answer is no clean one", () => {
    for (const said of [{ message: "405 Method Not Allowed" }, { error: { summary: "405 Method Not Allowed" } }]) {
      expect(judgeAdvisories(said, [], today).problems).toEqual(["the registry did not say which packages are vulnerable: 405 Method Not Allowed"]);
    }
    for (const said of [{}, null, undefined, "x", { vulnerabilities: null }]) expect(judgeAdvisories(said, [], today).problems).toHaveLength(1);
  });
});

describe("explanations", () => {
  it("hold to the end of their day, and half a year at most", () => {
    expect(acceptedProblems([accept("A", "a", "2027-01-15"), accept("B", "b", "2027-07-17")], today)).toEqual([]);
    expect(acceptedProblems([accept("A", "a", "2027-01-14"), accept("B", "b", "2027-07-18")], today)).toEqual([
      "advisories.json, entry 1 (A): was accepted until 2027-01-14; look again, then extend or remove it",
      "advisories.json, entry 2 (B): is accepted until 2027-07-18; at most 183 days are allowed",
    ]);
    // An expired one stops the release, though the advisory has an entry.
    expect(judgeAdvisories(answer, [{ ...loop, until: "2027-01-14" }, sign], today).problems).toHaveLength(1);
  });

  it("without a reason, a package or a real date are refused", () => {
    expect(acceptedProblems([{ id: "A", package: "a", until: "2027-02-01" }, { ...loop, reason: " " }, { ...loop, until: "2027-02-30" }, { ...loop, until: "soon" }, null], today)).toEqual([
      "advisories.json, entry 1 (A): reason must be a text",
      "advisories.json, entry 2 (GHSA-0000-0000-0001): reason must be a text",
      'advisories.json, entry 3 (GHSA-0000-0000-0001): until is "2027-02-30"; write a date as YYYY-MM-DD',
      'advisories.json, entry 4 (GHSA-0000-0000-0001): until is "soon"; write a date as YYYY-MM-DD',
      "advisories.json, entry 5: id, package, reason, until must be a text",
    ]);
    expect(acceptedProblems({}, today)).toEqual(["advisories.json must be a list of { id, package, reason, until }"]);
  });

  it("of this tree are sound", () => {
    const entries = JSON.parse(readFileSync(join(root, "scripts/supply/advisories.json"), "utf8")) as Accepted[];
    // When they expire is for the release and the weekly run to say, not for this test.
    expect(acceptedProblems(entries, today).filter((problem) => !/was accepted until|is accepted until/.test(problem))).toEqual([]);
  });
});

describe("the pinned Electron", () => {
  const tags = { latest: "45.4.1", "45-x-y": "45.4.1", "43-x-y": "43.9.0", beta: "46.0.0-beta.2" };
  it("may be of the newest three major versions, and is told of newer fixes", () => {
    expect(judgeElectron("45.4.1", tags)).toEqual({ problems: [], remarks: [] });
    expect(judgeElectron("43.10.0", tags)).toEqual({ problems: [], remarks: [] });
    expect(judgeElectron("43.8.12", tags)).toEqual({ problems: [], remarks: ["Electron 43.9.0 is out: 43.8.12 lacks its fixes"] });
    expect(judgeElectron("42.9.9", tags).problems).toEqual(["Electron 42.9.9 gets no security fixes any more: 43 is the oldest that does"]);
    expect(judgeElectron("45.4.1", { message: "404" }).problems).toEqual(["the registry did not say which Electron is the newest"]);
  });
});

describe.runIf(everything)("npm run audit", () => {
  const advisory = (id: number, title: string): Advisory => ({ id, url: `https://github.com/advisories/GHSA-0000-0000-000${id}`, title, severity: "high", vulnerable_versions: "*", cwe: [], cvss: { score: 0, vectorString: "" } });

  /** Runs it with npm itself, against a registry of the test's own. */
  async function audit(advisories: Record<string, Advisory[]>, ...args: string[]): Promise<{ code: number; output: string }> {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { devDependencies: { electron: string } };
    const registry = await serveAdvisories(readLock(root) as Parameters<typeof serveAdvisories>[0], advisories, { latest: devDependencies.electron });
    onTestFinished(() => registry.close());
    return new Promise((resolve) => {
      execFile(process.execPath, [join(root, "scripts/supply/audit.mjs"), ...args], { env: { ...process.env, npm_config_registry: registry.url } }, (error, stdout, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }));
    });
  }

  it("passes where nothing that ships is vulnerable, and leaves out what only builds and tests", async () => {
    const { code, output } = await audit({ vitest: [advisory(3, "Tests run twice")] });
    expect(output).toBe("✓ known vulnerabilities of what ships\n✓ Electron gets security fixes\n");
    expect(code).toBe(0);
  });

  it("fails on a package of the workbench and on Electron", async () => {
    const { code, output } = await audit({ zod: [advisory(4, "Reads too far")], electron: [advisory(5, "Leaves its sandbox")] });
    expect(output).toContain("zod *: Reads too far (high, https://github.com/advisories/GHSA-0000-0000-0004)");
    expect(output).toContain("electron *: Leaves its sandbox (high, https://github.com/advisories/GHSA-0000-0000-0005)");
    expect(code).toBe(1);
  });

  it("judges an answer that was recorded elsewhere", async () => {
    const { code, output } = await audit({}, "--answer", join(import.meta.dirname, "auditAnswer.json"));
    expect(output).toContain("tar-stream <=3.2.0: Endless loop");
    expect(code).toBe(1);
  });
});
