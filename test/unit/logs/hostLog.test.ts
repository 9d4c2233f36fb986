/** The log of a host: what it writes, where, and what it leaves out. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { closeLog, hideNames, hostLog, openLog, record } from "../../../src/main/logs/hostLog.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { openHostLog, supportFile, supportFiles } from "../../../src/main/services/logs.ts";
import { storeFacts } from "../../../src/main/store/supportFacts.ts";
import { fixture } from "../../support/networks.ts";
import { aRun, freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

type Line = Record<string, unknown>;
const linesIn = (storeDir: string): Line[] => readFileSync(join(storeDir, "logs", "hypertower.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Line);

beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
});
afterEach(() => closeLog());

function open(storeDir = freshFolder()): string {
  writeFileSync(join(storeDir, "hypertower.sqlite"), "");
  openLog({ storeDir, dataDir: join(storeDir, "datasets"), appDir: process.cwd(), where: "serve", version: "1.2.3" });
  return storeDir;
}

it("writes lines of JSON that say when, how grave, where and what, after one about the process", () => {
  const storeDir = open();
  hostLog.warn("store: a commit took 900 ms", { rows: 240 });
  const error = Object.assign(new Error(`ENOSPC: no space left on device, write '${join(storeDir, "hypertower.sqlite")}'`, { cause: new Error("inner") }), { code: "ENOSPC" });
  hostLog.error("a commit failed", error);
  const [process_, warning, failure] = linesIn(storeDir);
  expect(process_).toMatchObject({ level: "info", where: "serve", message: "process", version: "1.2.3", pid: process.pid, platform: `${process.platform} ${process.arch}` });
  expect(warning).toMatchObject({ level: "warn", where: "serve", message: "store: a commit took 900 ms", rows: 240, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string });
  expect(failure).toMatchObject({ level: "error", message: "a commit failed", error: { name: "Error", code: "ENOSPC", message: "ENOSPC: no space left on device, write '<store>/hypertower.sqlite'", cause: { message: "inner" } } });
  expect(console.warn).toHaveBeenCalledWith("store: a commit took 900 ms");
  expect(console.error).toHaveBeenCalledWith("a commit failed", error);
});

it("writes nothing of the person, whatever an error says", () => {
  const storeDir = open();
  const secret = join(homedir(), "Divorce papers", "plan.csv");
  hostLog.error(`${secret} of ${userInfo().username} on ${hostname()} cannot be read`, Object.assign(new Error(`EACCES: permission denied, open '${secret}'`), { code: "EACCES", path: secret }), { secret, list: [secret], [secret]: 1 });
  const written = readFileSync(join(storeDir, "logs", "hypertower.jsonl"), "utf8");
  expect(written).toContain("EACCES");
  for (const word of ["Divorce", "papers", "plan", storeDir, hostname()]) expect(written).not.toContain(word);
});

it("makes no folder where there is no store, and writes what waited once there is one", () => {
  const storeDir = freshFolder();
  openLog({ storeDir, dataDir: "", appDir: process.cwd(), where: "train", version: "1" });
  record("warn", "early");
  expect(readdirSync(storeDir)).toEqual([]);
  writeFileSync(join(storeDir, "hypertower.sqlite"), "");
  record("warn", "late");
  expect(linesIn(storeDir).map(({ message }) => message)).toEqual(["process", "early", "late"]);
});

it("never throws where it cannot write", () => {
  const storeDir = open();
  writeFileSync(join(storeDir, "logs"), "a file");
  expect(() => hostLog.warn("x")).not.toThrow();
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  expect(() => record("warn", "x", cyclic)).not.toThrow();
  expect(() => hostLog.error("x", null)).not.toThrow();
});

it("limits how much is written in a minute, and says what was dropped", () => {
  const storeDir = open();
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    for (let i = 0; i < 1_000; i++) record("warn", `refused ${i}`);
    expect(linesIn(storeDir)).toHaveLength(301);
    vi.setSystemTime(Date.now() + 61_000);
    record("warn", "calm again");
    expect(linesIn(storeDir).slice(-2).map(({ message }) => message)).toEqual(["700 lines were dropped: more than 300 in a minute", "calm again"]);
  } finally {
    vi.useRealTimers();
  }
});

it("hides names of runs and studies in the store, in any case, while it is open and afterwards", async () => {
  const storeDir = freshFolder();
  const store = openStore(storeDir);
  store.createRun(aRun({ name: "Merger with Acme" }));
  openHostLog({ storeDir, where: "desktop", version: "1" });
  record("error", "run Merger with Acme failed; merger with ACME is not sound");
  expect(linesIn(storeDir).at(-1)!["message"]).toBe("run <name> failed; <name> is not sound");
  // A name that nobody knew when it was written is hidden in the file that is sent.
  hideNames(() => []);
  record("error", "run Merger with Acme failed; the data Patients 2026 is missing", { list: ["Patients 2026"] });
  const files = await supportFiles({ storeDir, version: "1", host: "desktop", datasets: () => Promise.resolve(["Patients 2026"]) });
  const text = files.map(({ content }) => strFromU8(content)).join("\n");
  expect(text).toContain("run <name> failed; the data <name> is missing");
  expect(text).not.toMatch(/acme|patients/i);
});

it("makes a file of logs and facts that holds what is listed, and no more", async () => {
  const storeDir = freshFolder();
  const store = openStore(storeDir);
  store.createRun(aRun({ name: "Merger" }));
  store.createRun(aRun({}, { status: "finished" }));
  openHostLog({ storeDir, where: "serve", version: "1.2.3" });
  record("warn", `${join(storeDir, "hypertower.sqlite")} was slow`);
  const engine = { kind: "onnx-cpu" as const, problem: null, barred: null, description: { device: "A processor", driver: null, memory: null, libraries: { "onnxruntime-node": "1.30.0" } }, step: 2, unmeasured: null };
  const files = await supportFiles({ storeDir, version: "1.2.3", host: "browser", engines: () => Promise.resolve({ engines: [engine], choice: null, measuredAt: null }) });
  const pieces = supportFile(files).pieces as Uint8Array[];
  const unzipped = unzipSync(pieces[0]!);
  expect(Object.keys(unzipped)).toEqual(["about.json", "logs/hypertower.jsonl"]);
  expect(JSON.parse(strFromU8(unzipped["about.json"]!))).toMatchObject({
    version: "1.2.3",
    platform: `${process.platform} ${process.arch}`,
    store: { runs: { queued: 1, finished: 1, deleted: 0 }, layout: expect.any(Number) as number, integrity: { problem: null } },
    engines: [{ kind: "onnx-cpu", description: { device: "A processor", libraries: { "onnxruntime-node": "1.30.0" } } }],
  });
  // Cleaned twice, it reads the same.
  expect(strFromU8(unzipped["logs/hypertower.jsonl"]!)).toContain('"message":"<store>/hypertower.sqlite was slow"');
});

it("names no imported network and no file that one came from, in the log and in the file to send", async () => {
  const storeDir = freshFolder();
  openHostLog({ storeDir, where: "serve", version: "1" });
  const store = openStore(storeDir);
  const tiny = fixture("tiny");
  store.networks.add({ ...tiny.row, name: "Tumor grading v2", source: "C:\\Clinic\\grader of biopsies.onnx" }, () => undefined);
  const said = `Tumor grading v2 (${tiny.hash.slice(0, 12)}, ${tiny.hash}) came from grader of biopsies.onnx; the network grader of biopsies was trained`;
  hostLog.warn(said);
  const [, line] = linesIn(storeDir);
  expect(line).toMatchObject({ message: "<name> (<name>, <name>) came from <name>; the network <name> was trained" });
  // What was written before the network was known.
  closeLog();
  writeFileSync(join(storeDir, "logs", "hypertower.1.jsonl"), `${JSON.stringify({ time: "2026", level: "warn", where: "serve", message: said })}\n`);
  for (const { content } of await supportFiles({ storeDir, version: "1", host: "browser" })) {
    for (const word of ["Tumor", "grading", "grader", "biops", tiny.hash.slice(0, 12)]) expect(strFromU8(content)).not.toContain(word);
  }
  store.closeNow();
});

it("says how a trainer crashed", async () => {
  const storeDir = freshFolder();
  openHostLog({ storeDir, where: "serve", version: "1" });
  const services = await createServices(
    { storeDir, host: "browser", version: "1", launchTrainer: nodeLauncher(processFile("fakeTrainer")) },
    { datasets: { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) }, log: recordedLog() },
  );
  onTestFinished(() => services.close());
  const name = JSON.stringify({ steps: 1e9, crashAt: 50 });
  const { id } = await services.handlers["runs.start"]({ experiment: { name } });
  await vi.waitFor(async () => expect((await services.handlers["runs.get"]({ run: id })).status).toBe("failed"));
  const failed = linesIn(storeDir).filter(({ message }) => (message as string).startsWith(`run ${id} failed: The trainer process `));
  expect(failed).toMatchObject([{ level: "error", where: "serve" }]);
});

it("does without a store that cannot be read, a torn line, and engines that fail", async () => {
  const storeDir = freshFolder();
  writeFileSync(join(storeDir, "hypertower.sqlite"), "not a database".repeat(100));
  mkdirSync(join(storeDir, "logs"));
  writeFileSync(join(storeDir, "logs", "hypertower.jsonl"), '{"time":"2026","level":"warn","where":"serve","message":"fine"}\n{"torn secret\n');
  const files = await supportFiles({ storeDir, version: "1", host: "browser", engines: () => Promise.reject(new Error("no engine")), datasets: () => Promise.reject(new Error("no data")), problem: new Error("not a database") });
  const [about, log] = files.map(({ content }) => strFromU8(content));
  expect(JSON.parse(about!)).toMatchObject({ engines: "no engine", store: { layout: null, cannotBeOpened: "not a database" } });
  expect(log).toContain("fine");
  expect(log).not.toContain("secret");
  expect(storeFacts(join(storeDir, "nowhere", "hypertower.sqlite"))).toMatchObject({ layout: null, bytes: { database: 0 } });
  expect(existsSync(join(storeDir, "nowhere"))).toBe(false);
});
