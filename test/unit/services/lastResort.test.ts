/** Errors that nothing handles end a process in order: what is pending is written, a person is told, the code is not 0. */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { FromTrainer, ToTrainer } from "../../../src/main/trainer/messages.ts";
import { everything } from "../../support/edition.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const program = processFile("failingHost");

function fail(how: string) {
  const folder = freshFolder();
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, folder, how], { encoding: "utf8" });
  const { run, steps } = JSON.parse(stdout) as { run: string; steps: number };
  return { folder, status, stderr, run, steps };
}

describe("a host", () => {
  it.each(everything ? ["throw", "reject"] : ["reject"])("that meets an error nothing handles (%s) keeps every step", (how) => {
    const { folder, status, stderr, run, steps } = fail(how);
    expect(status).toBe(1);
    expect(stderr).toContain("Hypertower ends because of an error in itself: a slip\nWhat the runs logged is saved.");
    const store = openStore(folder);
    expect([...store.readSteps(run)].length).toBeGreaterThanOrEqual(steps);
    const last = JSON.parse(readFileSync(join(folder, "logs", "hypertower.jsonl"), "utf8").trimEnd().split("\n").at(-1)!) as object;
    expect(last).toMatchObject({ level: "error", message: "the process ends because of an error that nothing handled", error: { message: "a slip", stack: expect.arrayContaining([expect.stringMatching(/<app>\/[\w/-]+\/failingHost\.[jt]s/)]) as string[] } });
    expect(store.getRun(run)!.status).toBe("interrupted");
    expect(store.getRun(run)!.events.map(({ kind }) => kind)).toEqual(["started", "hostFailed", "interrupted"]);
  });

  it("spills what it cannot commit then, and names the file", () => {
    const { folder, status, stderr, run, steps } = fail("locked");
    expect(status).toBe(1);
    const [spill] = readdirSync(folder).filter((name) => name.endsWith(".spill"));
    expect(stderr).toContain(`${spill!}; it is added to the store when that is next opened`);
    expect([...openStore(folder).readSteps(run)].length).toBeGreaterThanOrEqual(steps);
  });
});

it("a trainer that meets an error nothing handles reports it and ends with code 1", async () => {
  const trainer = await nodeLauncher(processFile("trainer"))();
  onTestFinished(() => trainer.kill());
  const messages: FromTrainer[] = [];
  const exits: (number | null)[] = [];
  trainer.onMessage((message) => messages.push(message));
  trainer.onExit(({ code }) => exits.push(code));
  trainer.send(null as unknown as ToTrainer);
  await vi.waitFor(() => expect(exits).toEqual([1]));
  expect(messages).toEqual([expect.objectContaining({ type: "failed", message: expect.any(String) as string })]);
});
