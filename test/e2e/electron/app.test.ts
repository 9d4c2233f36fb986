/** What only Electron itself can show of the desktop app: its sandbox, its IPC, its processes, and how it ends. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contract } from "../../../src/shared/contract.ts";
import { storedSeries } from "../scenarios/store.ts";
import { configure, drawnAtLeast, expectStatus, findInHistory, train } from "../scenarios/workbench.ts";
import { built } from "../support/paths.ts";
import { findElectron, isSandboxed, startElectronApp, type ElectronHarness } from "./harness.ts";

const found = findElectron();
const onLinux = process.platform === "linux";
let harness: ElectronHarness;

async function startRun(): Promise<string> {
  await configure(harness.page, { trainExamples: 2560, testExamples: 100, batchSize: 64, epochs: 5000 });
  const run = await train(harness.page);
  await drawnAtLeast(harness.page, "loss-chart/loss", 20);
  return run;
}

/** Process ids of the app's processes of a type, such as "Tab". */
const pidsOf = (type: string) => harness.app.evaluate(({ app }, wanted) => app.getAppMetrics().filter((metric) => metric.type === wanted).map(({ pid }) => pid), type);

interface Fork {
  readonly file: string;
  readonly execArgv: readonly string[];
}

interface Recorded {
  forks: Fork[];
  questions: { message: string; buttons: string[] }[];
}

/** Records the utility processes that the app starts from now on. */
const recordForks = () =>
  harness.app.evaluate(({ utilityProcess }) => {
    const forks: Fork[] = ((globalThis as unknown as Recorded).forks = []);
    const fork = utilityProcess.fork.bind(utilityProcess);
    utilityProcess.fork = (file, args, options) => {
      forks.push({ file, execArgv: options?.execArgv ?? [] });
      return fork(file, args, options);
    };
  });
const recordedForks = () => harness.app.evaluate(() => (globalThis as unknown as Recorded).forks);

/** Answers the app's questions with the button at `answer`, and records them. */
const answerQuestions = (answer: number) =>
  harness.app.evaluate(({ dialog }, response) => {
    const recorded = globalThis as unknown as Recorded;
    recorded.questions ??= [];
    dialog.showMessageBox = (...parameters: unknown[]) => {
      const { message, buttons = [] } = parameters.at(-1) as { message: string; buttons?: string[] };
      recorded.questions.push({ message, buttons });
      return Promise.resolve({ response, checkboxChecked: false });
    };
  }, answer);
const questions = () => harness.app.evaluate(() => (globalThis as unknown as Recorded).questions);

/** Closes the window a moment later: an app that ends would wait for the debugger, and the debugger for the call. */
const closeWindow = () => harness.app.evaluate(({ BrowserWindow }) => void setTimeout(() => BrowserWindow.getAllWindows()[0]?.close(), 100));

if ("path" in found) {
  describe("the desktop app in Electron", () => {
    beforeEach(async () => {
      harness = await startElectronApp(found.path);
    });
    afterEach(() => harness.close());

    it("isolates and sandboxes its window", async () => {
      const preferences = await harness.app.evaluate(({ BrowserWindow }) => {
        const contents = BrowserWindow.getAllWindows()[0]!.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> };
        const { contextIsolation, nodeIntegration, webSecurity, sandbox } = contents.getLastWebPreferences();
        return { contextIsolation, nodeIntegration, webSecurity, sandbox };
      });
      expect(preferences).toMatchObject({ contextIsolation: true, nodeIntegration: false, webSecurity: true });
      expect(await harness.page.evaluate(() => [typeof globalThis.process, typeof (globalThis as { require?: unknown }).require])).toEqual(["undefined", "undefined"]);
      if (!isSandboxed || !onLinux) return;
      const [page = 0] = await pidsOf("Tab");
      // 2: system calls are filtered.
      expect(readFileSync(`/proc/${page}/status`, "utf8")).toMatch(/^Seccomp:\s+2$/m);
      expect(readFileSync(`/proc/${harness.pid}/cmdline`, "utf8")).not.toContain("--no-sandbox");
    });

    it("answers each request of the contract, and checks its input", async () => {
      const request = (name: string, input: unknown) =>
        harness.page.evaluate(async ([asked, value]) => {
          const { hypertower } = window as unknown as { hypertower: { request(name: string, input: unknown): Promise<{ ok: boolean; error?: { message: string }; value?: unknown }> } };
          return hypertower.request(asked, value).catch((error: unknown) => String(error));
        }, [name, input] as const);
      for (const name of Object.keys(contract.requests)) expect(await request(name, "not an input"), name).toMatchObject({ ok: false });
      expect(await request("runs.get", { run: "../../etc/passwd" })).toMatchObject({ ok: false, error: { message: expect.stringContaining("run") as string } });
      expect(await request("runs.erase", {})).toContain("there is no request named runs.erase");
      expect(await request("runs.list", {})).toEqual({ ok: true, value: [] });
      // The bridge is the window's alone.
      await harness.page.evaluate(() => document.body.append(document.createElement("iframe")));
      const inner = harness.page.frames().find((frame) => frame.parentFrame() !== null)!;
      expect(await inner.evaluate(() => "hypertower" in window)).toBe(false);
    });

    it("trains and imports in utility processes, which run files of the build within their limits", async () => {
      await recordForks();
      await startRun();
      const table = join(harness.storeDir, "points.csv");
      writeFileSync(table, "a,b,class\n1,2,x\n3,4,y\n");
      await harness.choosePath!(table);
      const preview = await harness.page.evaluate(async () => {
        const { hypertower } = window as unknown as { hypertower: { request(name: string, input: unknown): Promise<{ ok: boolean; value?: unknown }> } };
        const { value } = await hypertower.request("datasets.choose", { what: "file" });
        return hypertower.request("datasets.preview", { path: value });
      });
      expect(preview).toMatchObject({ ok: true });
      // Its decoders of images, with their own GLib, stay in the importer.
      if (onLinux) expect(readFileSync(`/proc/${harness.pid}/maps`, "utf8")).not.toContain("libvips");
      const forks = await recordedForks();
      const folder = built.desktop.slice(0, -"desktop.js".length);
      expect(new Set(forks.map(({ file }) => file.slice(folder.length)))).toEqual(new Set(["trainer.js", "importer.js"]));
      for (const { file } of forks) expect(file.startsWith(folder)).toBe(true);
      const importer = forks.find(({ file }) => file.endsWith("importer.js"))!;
      const limit = Number(/^--max-old-space-size=(\d+)$/.exec(importer.execArgv.join(" "))?.[1]);
      expect(limit).toBeGreaterThan(0);
      expect(forks.filter(({ file }) => file.endsWith("trainer.js")).flatMap(({ execArgv }) => execArgv)).toEqual([]);
      // V8 of such a process obeys: it reports about the limit, and its young generation.
      const probe = join(harness.storeDir, "probe.cjs");
      writeFileSync(probe, 'process.parentPort.postMessage(require("node:v8").getHeapStatistics().heap_size_limit)');
      const heap = await harness.app.evaluate(
        ({ utilityProcess }, [file, execArgv]) =>
          new Promise<number>((resolve) => {
            const child = utilityProcess.fork(file, [], { execArgv: [...execArgv] });
            child.once("message", (bytes: number) => (resolve(bytes), child.kill()));
          }),
        [probe, importer.execArgv] as const,
      );
      expect(heap / 2 ** 20).toBeGreaterThan(limit - 1);
      expect(heap / 2 ** 20).toBeLessThan(limit + 200);
    });

    it("ends by SIGTERM while its page is still loading", async () => {
      await harness.app.evaluate(({ BrowserWindow }) => {
        BrowserWindow.getAllWindows()[0]?.webContents.reload();
      });
      expect(await harness.end()).toBe(0);
      expect(harness.log()).not.toContain("error in itself");
    });

    it("closes at once when nothing is training", async () => {
      await answerQuestions(0);
      await closeWindow();
      expect(await harness.ended()).toBe(0);
    });

    it("asks before it stops runs, goes on when told to stay, and stops them when told to quit", async () => {
      const run = await startRun();
      await answerQuestions(0);
      await closeWindow();
      await expect.poll(questions).toEqual([{ message: "1 run is still training.", buttons: ["Keep the Window Open", "Stop and Quit"] }]);
      const before = await drawnAtLeast(harness.page, "loss-chart/loss", 20);
      await drawnAtLeast(harness.page, "loss-chart/loss", before.total + 50);
      await answerQuestions(1);
      await closeWindow();
      expect(await harness.ended(), harness.log()).toBe(0);
      expect(storedSeries(harness.storeDir, run, "loss").length).toBeGreaterThanOrEqual(before.total + 50);
    });

    it("ends by SIGTERM without a question or an error, and keeps the run", async () => {
      const run = await startRun();
      await harness.restart();
      expect(await findInHistory(harness.page, run)).toMatch(/interrupted|stopped/i);
      await harness.page.getByTestId(`run-row-${run}`).click();
      await expectStatus(harness.page, "interrupted|stopped");
      expect(await harness.end()).toBe(0);
      expect(harness.log()).not.toMatch(/failed unexpectedly|did not close cleanly|SharpElectronLinux/);
    });
  });
} else {
  it.skip(`the desktop app in Electron: ${found.problem}`);
}
