import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyConfig, resolveAll } from "../../../src/main/headless/config/apply.ts";
import { folderOf, parseConfig, readConfig, writeSetting } from "../../../src/main/headless/config/file.ts";
import { findSetting, parseTyped, settings } from "../../../src/main/headless/config/settings.ts";
import { leaves } from "../../../src/main/headless/help.ts";
import { program } from "../../../src/main/headless/index.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-config-"));
  file = join(folder, "config.json");
  vi.stubEnv("HYPERTOWER_CONFIG", file);
  for (const { environment } of settings) vi.stubEnv(environment, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const problems = (text: string) => parseConfig(text).problems.map(({ at, message }) => `${at} ${message}`);

describe("the configuration file", () => {
  it("is JSON with comments and trailing commas; empty and missing ones say nothing", () => {
    expect([...parseConfig('// mine\n{ "runs": { "limit": 5, }, /* and */ "store": "/x" }').values]).toEqual([["runs.limit", 5], ["store", "/x"]]);
    expect(problems("")).toEqual([]);
    expect(readConfig().values.size).toBe(0);
  });

  it("names every mistake with line and column, and the nearest setting", () => {
    expect(problems('{\n  "runs": {\n    "limmit": 5,\n    "limit": 0\n  },\n  "serve": 3\n}')).toEqual([
      "3:5 there is no setting runs.limmit; did you mean runs.limit?",
      "4:14 runs.limit cannot be 0; allowed: a whole number from 1 to 1000000",
      "6:12 serve is a section and needs an object: serve.port",
    ]);
    expect(problems('{ "train": { "engine": "gpu" } }')[0]).toContain("allowed: auto, onnx-cpu");
    expect(problems('{ "runs": \n')[0]).toMatch(/^\d:\d+ not valid JSON: /);
    expect(problems("[]")[0]).toContain("an object is needed");
    writeFileSync(file, '{ "x": 1 }');
    expect(() => readConfig()).toThrow("the configuration file is not valid");
  });

  it("keeps its comments when a setting is written, and stays a link", () => {
    const real = join(folder, "real.json");
    writeFileSync(real, '{\n  // few\n  "runs": { "limit": 5 }\n}\n');
    symlinkSync(real, file);
    writeSetting(file, "runs.limit", 7);
    writeSetting(file, "serve.port", 80);
    expect(readFileSync(real, "utf8")).toContain("// few");
    expect([...readConfig().values]).toEqual([["runs.limit", 7], ["serve.port", 80]]);
    writeSetting(file, "runs.limit", undefined);
    expect([...readConfig().values]).toEqual([["serve.port", 80]]);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    writeFileSync(real, "{ broken");
    expect(() => writeSetting(file, "runs.limit", 7)).toThrow("is not valid");
    expect(readFileSync(real, "utf8")).toBe("{ broken");
  });
});

it("folders in the file are relative to it, and ~ is the account's own", () => {
  writeFileSync(file, '{ "store": "runs", "data": "~/data" }');
  const config = readConfig();
  expect([folderOf(config, "store"), folderOf(config, "data"), folderOf(config, "serve.port")]).toEqual([join(folder, "runs"), join(homedir(), "data"), undefined]);
});

describe("settings", () => {
  it("belong to options that exist", () => {
    const all = leaves(program);
    for (const { key, commands, option } of settings) {
      for (const path of commands) expect(all.find((leaf) => leaf.path === path)?.command.options.some((one) => one.attributeName() === option), `${key}: ${path}`).toBe(true);
    }
  });

  it("are typed as JSON, text or a list", () => {
    const typed = (key: string, text: string) => parseTyped(findSetting(key)!, text);
    expect([typed("runs.limit", "5"), typed("runs.columns", "run, alpha"), typed("runs.columns", '["run"]'), typed("study.cohort", "auto"), typed("study.cohort", "8"), typed("store", "123")]).toEqual([5, ["run", "alpha"], ["run"], "auto", 8, "123"]);
    expect([typed("runs.limit", "many"), typed("serve.port", "70000")]).toEqual([undefined, undefined]);
  });

  it("come from the option, else the environment, else the file, else the default", () => {
    writeFileSync(file, '{ "runs": { "limit": 5, "sort": "loss" }, "store": "/from/file" }');
    const listed = (args: string[], env: Record<string, string> = {}) => {
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
      const root = new Command("hypertower");
      const list = root.command("runs").command("list", { isDefault: true }).option("--limit <n>", "", Number).option("--sort <key>").option("--columns <keys>");
      let seen: unknown;
      list.action((options) => (seen = options));
      root.hook("preAction", (_, command) => applyConfig(command));
      root.parse(["runs", ...args], { from: "user" });
      return seen;
    };
    expect(listed([])).toEqual({ limit: 5, sort: "loss" });
    expect(process.env["HYPERTOWER_HOME"]).toBe("/from/file");
    expect(listed(["--limit", "9"], { HYPERTOWER_RUNS_LIMIT: "7" })).toEqual({ limit: 9, sort: "loss" });
    expect(listed([], { HYPERTOWER_RUNS_LIMIT: "7", HYPERTOWER_HOME: "/from/env" })).toEqual({ limit: 7, sort: "loss" });
    expect(process.env["HYPERTOWER_HOME"]).toBe("/from/env");
    expect(() => listed([], { HYPERTOWER_RUNS_LIMIT: "all" })).toThrow("HYPERTOWER_RUNS_LIMIT is all; allowed: a whole number");
    vi.stubEnv("HYPERTOWER_RUNS_LIMIT", "7");
    expect(resolveAll(readConfig().values).filter(({ source }) => source !== "default").map(({ setting, value, source }) => [setting.key, value, source])).toEqual([
      ["store", "/from/env", "environment"],
      ["runs.sort", "loss", "file"],
      ["runs.limit", 7, "environment"],
    ]);
  });
});
