import { spawn } from "node:child_process";
import { once } from "node:events";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const writer = processFile("storeWriterProcess");

it("a writer killed at any moment loses no acknowledged row, and its run is shown as interrupted", async () => {
  const folder = freshFolder();
  for (const acknowledgements of [1, 3, 10]) {
    const child = spawn(process.execPath, [writer, folder], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split("\n").length > acknowledgements) child.kill("SIGKILL");
    });
    const [, signal] = (await once(child, "close")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    const [run = "", acknowledged = ""] = output.trimEnd().split("\n").at(-1)!.split(" ");

    const store = openStore(folder);
    const steps = [...store.readSteps(run)];
    expect(steps.length).toBeGreaterThanOrEqual(Number(acknowledged));
    expect(steps.map((s) => s.values)).toEqual(steps.map((_, i) => [i, i]));
    expect(store.getRun(run)).toMatchObject({ status: "interrupted", steps: steps.length });
    const db = new Database(store.path, { readonly: true });
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
    store.closeNow();
  }
});
