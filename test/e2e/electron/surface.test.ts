/**
 * Malformed requests by the window's page, through the real preload and Electron's IPC. `HYPERTOWER_SURFACE=100000 npm run
 * test:desktop -- surface` is the long campaign.
 */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bridgeKey } from "../../../src/shared/contract.ts";
import { RandomJson } from "../../faults/randomJson.ts";
import { fuzzSurface, memoryOf, somethingToAskAbout, type Surface, type SurfaceReply } from "../../faults/surfaceFuzz.ts";
import { findElectron, startElectronApp, type ElectronHarness } from "./harness.ts";

const messages = Number(process.env["HYPERTOWER_SURFACE"] ?? 2_000);
const found = findElectron();
let harness: ElectronHarness;

interface PageBridge {
  request(name: string, input: unknown): Promise<SurfaceReply>;
  dropped(file: unknown): Promise<string | null>;
}

/** What the page's own call came to: a reply, or an error that the preload or Electron threw. */
const askPage = (name: string, input: unknown): Promise<SurfaceReply> =>
  harness.page.evaluate(
    async ([key, of, text]) => {
      const bridge = (globalThis as unknown as Record<string, PageBridge>)[key]!;
      try {
        return await bridge.request(of, text === null ? undefined : JSON.parse(text));
      } catch (error) {
        return { ok: false, error: { message: error instanceof Error ? error.message : String(error) } };
      }
    },
    [bridgeKey, name, JSON.stringify(input) ?? null] as const,
  );

if ("path" in found) {
  describe("the window's requests in Electron", () => {
    beforeEach(async () => {
      harness = await startElectronApp(found.path);
    });
    afterEach(() => harness.close());

    it("are answered however malformed they are", async () => {
      // A dialog would wait for a person.
      await harness.app.evaluate(({ dialog }) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: true, filePaths: [] });
      });
      const memory: number[] = [];
      const timer = setInterval(() => void harness.app.evaluate(() => process.memoryUsage.rss()).then((bytes) => memory.push(bytes), () => undefined), 500);
      const never = new Promise<never>(() => undefined);
      const surface: Surface = {
        ask: askPage,
        closed: () => (harness.page.isClosed() ? "the window has closed" : null),
        output: () => harness.log(),
        memory,
        ended: never,
        // Files that the page made itself have no path.
        raw: async (random) => {
          const answer = await harness.page.evaluate(
            ([key, text]) => (globalThis as unknown as Record<string, PageBridge>)[key]!.dropped(new File([text], text.slice(0, 20) || "x")).catch((error: unknown) => String(error)),
            [bridgeKey, JSON.stringify(random.any()) ?? ""] as const,
          );
          return answer === null || /getPathForFile|webUtils/.test(answer) ? null : `a file of the page was answered with ${answer}`;
        },
        end: () => Promise.resolve(0),
      };
      const before = readdirSync(harness.storeDir);
      const result = await fuzzSurface(surface, new RandomJson(20_261_130, await somethingToAskAbout(surface)), messages);
      clearInterval(timer);
      const [early, late] = memoryOf(memory);
      const counts = [...result.counts].map(([what, count]) => `${count} ${what}`).join(", ");
      console.log(`${result.sent} messages in ${result.seconds.toFixed(0)} s (${(result.sent / result.seconds).toFixed(0)}/s): ${counts}; memory ${(early / 1e6).toFixed(0)} to ${(late / 1e6).toFixed(0)} MB; new in the store: ${readdirSync(harness.storeDir).filter((name) => !before.includes(name)).join(", ") || "nothing"}`);
      expect(result.faults).toEqual([]);
      expect(result.sent).toBe(messages);
      expect(await harness.end()).toBe(0);
      expect(harness.log()).not.toMatch(/UNHANDLED|error in itself/);
    }, 1_800_000);
  });
} else {
  it.skip(`needs an Electron: ${found.problem}`);
}
