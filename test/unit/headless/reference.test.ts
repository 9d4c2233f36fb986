import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { examples } from "../../../src/main/headless/examples.ts";
import { addHelp, answers, leaves } from "../../../src/main/headless/help.ts";
import { program } from "../../../src/main/headless/index.ts";
import { reference } from "../../../src/main/headless/reference.ts";
import { presetNames } from "../../../src/shared/presets.ts";
import { studyPresetNames } from "../../../src/shared/study/presets.ts";

it("docs/cli.md is what the commands say; npm run docs:cli writes it", () => {
  expect(readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8")).toBe(reference());
});

it("every command has examples of itself, and every help shows them with the environment", () => {
  addHelp(program);
  const all = leaves(program);
  expect(Object.keys(examples).sort()).toEqual(all.map(({ path }) => path).sort());
  for (const { path, command } of all) {
    // The default command of a group is typed without its name.
    const name = new RegExp(`^hypertower (${path}|${path.replace(/ (list|check)$/, "")})( |$)`);
    for (const example of examples[path]!) expect(example).toMatch(name);
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help, path).toContain(examples[path]![0]);
    expect(help, path).toContain("HYPERTOWER_CONFIG");
    expect(help, path).toContain("--quiet");
  }
});

it("the options of every example exist", () => {
  for (const { path, command } of leaves(program)) {
    for (const example of examples[path]!) {
      for (const [option] of example.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(command.options.some(({ long, short }) => long === option || short === option), `${example}: ${option}`).toBe(true);
    }
  }
});

it("the presets of every example exist", () => {
  const named = Object.values(examples).flat().flatMap((example) => [...example.matchAll(/--preset (\S+)/g)].map(([, name]) => name!));
  expect(named.length).toBeGreaterThan(0);
  for (const name of named) expect([...presetNames, ...studyPresetNames]).toContain(name);
});

it("under --quiet, commands that show something still do", () => {
  expect([answers("runs list", false), answers("show", false), answers("export", false), answers("train", true)]).toEqual([true, true, true, true]);
  expect([answers("train", false), answers("runs delete", false)]).toEqual([false, false]);
});
