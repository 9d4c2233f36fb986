/** Log files: rotation by size and count, several writers, lines that a full disk cut short. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LogFile, logFileNames } from "../../../src/main/logs/logFile.ts";
import { freshFolder } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const limits = { bytes: 1_000, files: 3 };
const writer = processFile("logWriter");

const linesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter((line) => line !== ""));

it("keeps the newest lines, in files of a limited size and number", () => {
  const folder = join(freshFolder(), "logs");
  const file = new LogFile(folder, limits);
  for (let line = 0; line < 200; line++) file.append(`line ${String(line).padStart(3, "0")} ${"x".repeat(40)}`);
  expect(readdirSync(folder).toSorted()).toEqual(logFileNames(limits).toSorted());
  for (const name of logFileNames(limits)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(limits.bytes);
  const newestFirst = logFileNames(limits).map((name) => readFileSync(join(folder, name), "utf8").split("\n").filter((line) => line !== ""));
  expect(newestFirst[0]!.at(-1)).toContain("line 199");
  const numbers = newestFirst.toReversed().flat().map((line) => Number(line.slice(5, 8)));
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 200 - numbers.length + index));
});

it.skipIf(process.platform === "win32")("may be read by its owner alone", () => {
  const folder = join(freshFolder(), "logs");
  new LogFile(folder, limits).append("a");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "hypertower.jsonl")).mode & 0o777).toBe(0o600);
});

it("tears no line of several processes, and loses none that fits", async () => {
  const folder = join(freshFolder(), "logs");
  // 4 × 400 lines of at most 240 bytes fit into 40 files of 10 kB.
  const writers = ["a", "b", "c", "d"].map((name) => fork(writer, [folder, name, "400", "10000", "40"]));
  for (const [code] of await Promise.all(writers.map((process) => once(process, "exit")))) expect(code).toBe(0);
  const lines = linesIn(folder).map((line) => JSON.parse(line) as { name: string; line: number; text: string });
  expect(lines.length).toBe(1_600);
  for (const name of ["a", "b", "c", "d"]) expect(lines.filter((line) => line.name === name).map(({ line }) => line).toSorted((x, y) => x - y)).toEqual(Array.from({ length: 400 }, (_, line) => line));
  for (const { line, text } of lines) expect(text.length).toBe(line % 200);
});

it("begins a line of its own after one that was cut short", () => {
  const folder = freshFolder();
  const file = new LogFile(folder, limits);
  file.append("whole");
  appendFileSync(join(folder, "hypertower.jsonl"), '{"cut');
  file.append("next");
  expect(linesIn(folder)).toEqual(["whole", '{"cut', "next"]);
});

it("goes on after a process that died while it rotated", () => {
  const folder = freshFolder();
  const file = new LogFile(folder, limits);
  const lock = join(folder, "rotating");
  file.append("x".repeat(990));
  writeFileSync(lock, "");
  file.append("while it rotates");
  expect(readdirSync(folder)).not.toContain("hypertower.1.jsonl");
  utimesSync(lock, 1, 1);
  file.append("finds the lock given up");
  file.append("rotates");
  expect(readdirSync(folder).toSorted()).toEqual(["hypertower.1.jsonl", "hypertower.jsonl"]);
  expect(linesIn(folder)).toHaveLength(4);
});
