import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { complete, type StoreNames } from "../../../src/main/headless/completion/complete.ts";
import { scriptFor, type Shell } from "../../../src/main/headless/completion/shells.ts";
import { addHelp, leaves } from "../../../src/main/headless/help.ts";
import { program } from "../../../src/main/headless/index.ts";

addHelp(program);

const stored: StoreNames = {
  subjects: (subject, inBin) => [{ value: inBin ? `gone-${subject}` : `a ${subject}`, description: "finished" }],
  tags: (subject) => [`${subject}-tag`],
};
const opened: (string | undefined)[] = [];
const at = (...words: string[]) =>
  complete(program, words, (folder) => {
    opened.push(folder);
    return stored;
  });
const values = (...words: string[]) => at(...words).candidates.map(({ value }) => value);

describe("completion", () => {
  it("offers commands, options that are left, and choices", () => {
    expect(values("tr")).toEqual(["train"]);
    expect(values("runs", "")).toEqual(["list", "show", "compare", "delete", "restore", "rename", "tag", "export"]);
    expect(values("runs", "rm", "--")).toContain("--yes");
    expect(values("train", "--e")).toEqual(["--engine"]);
    expect(values("train", "--engine", "auto", "--e")).toEqual([]);
    expect(values("train", "--set", "a=1", "--se")).toEqual(["--set"]);
    expect(values("train", "--engine", "onnx-c")).toEqual(["onnx-cpu", "onnx-cuda", "onnx-coreml"]);
    expect(values("train", "--engine=ref")).toEqual(["--engine=reference"]);
    expect(values("train", "--preset", "seed")).toEqual(["seed-example"]);
    expect(values("completion", "")).toEqual(["bash", "zsh", "fish", "powershell"]);
    expect(values("config", "set", "runs.l")).toEqual(["runs.limit"]);
    expect(values("datasets", "download", "fash")).toEqual(["fashion-mnist"]);
    expect(values("nonsense", "x")).toEqual([]);
  });

  it("knows the options of a group's default command, with and without its name", () => {
    for (const words of [["runs"], ["runs", "list"], ["runs", "--json"]]) expect(values(...words, "--stat")).toEqual(["--status"]);
    expect(values("runs", "--sort", "testErr")).toEqual(["testError"]);
    expect(values("studies", "--columns", "div")).toEqual(["diverged"]);
  });

  it("offers runs, studies and tags of the store that the line names", () => {
    expect(values("show", "")).toEqual(["last", "a run"]);
    expect(values("runs", "delete", "a run", "")).toEqual(["last"]);
    expect(values("runs", "restore", "")).toEqual(["gone-run"]);
    expect(values("runs", "--study", "")).toEqual(["last", "a study"]);
    expect(values("study", "--resume", "")).toEqual(["last", "a study"]);
    expect(values("runs", "--tag", "")).toEqual(["run-tag"]);
    expect(values("studies", "tag", "a study", "--add", "")).toEqual(["study-tag"]);
    opened.length = 0;
    values("show", "--store", "/elsewhere", "");
    values("show", "--");
    expect(opened).toEqual(["/elsewhere"]);
  });

  it("leaves files and folders to the shell", () => {
    expect(at("train", "")).toMatchObject({ fromShell: "files" });
    expect(at("show", "--store", "")).toMatchObject({ fromShell: "folders" });
    expect(at("show", "").fromShell).toBe("none");
  });

  it("answers at every argument and option of every command", () => {
    for (const { path, command } of leaves(program)) {
      const words = path.split(" ");
      expect(values(...words, "--").length, path).toBeGreaterThan(1);
      expect(at(...words, "").fromShell, path).toMatch(/^(files|folders|none)$/);
      for (const { long, required } of command.options) if (required) at(...words, long!, "");
    }
  });
});

/** A folder with a `hypertower` that notes its arguments and answers with the given lines. */
function pretendProgram(answer: string): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-completion-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "answer"), answer);
  const file = join(folder, "hypertower");
  writeFileSync(file, `#!/bin/sh\nprintf '<%s>' "$@" > '${folder}/asked'\ncat '${folder}/answer'\n`);
  chmodSync(file, 0o755);
  return { folder, env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}`, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder } };
}

const answer = "none\nlast\tthe latest run\nmy run\tfinished  2026\nit's\tfailed\n";

function inShell(shell: Shell, text: string, lines = answer): { asked: string; stdout: string; stderr: string } {
  const { folder, env } = pretendProgram(lines);
  const script = join(folder, "script");
  writeFileSync(script, scriptFor(shell));
  const flags = { bash: ["--norc", "--noprofile"], zsh: ["-f"], fish: ["--no-config"], powershell: [] }[shell];
  const { stdout, stderr } = spawnSync(shell, [...flags, "-c", text.replaceAll("SCRIPT", script)], { env, cwd: folder, encoding: "utf8" });
  const asked = spawnSync("cat", [join(folder, "asked")], { encoding: "utf8" }).stdout;
  return { asked, stdout, stderr };
}

const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

describe.skipIf(!has("bash"))("the script for bash", () => {
  const press = (words: readonly string[], lines?: string) =>
    inShell("bash", `source SCRIPT; COMP_WORDS=(${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _hypertower; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p hypertower`, lines);

  it("passes the words on, and quotes what needs it", () => {
    const { asked, stdout, stderr } = press(["hypertower", "runs", "show", ""]);
    expect(stderr).toBe("");
    expect(asked).toBe("<__complete><2><runs><show><>");
    expect(stdout.split("\n")).toEqual(["last", "my\\ run", "it\\'s", "complete -F _hypertower hypertower", ""]);
  });

  it("leaves a quoted word in its quotes", () => {
    const { asked, stdout } = press(["hypertower", "show", '"my r'], "none\nmy run\t\n");
    expect(asked).toBe("<__complete><1><show><my r>");
    expect(stdout).toContain("my run\n");
  });

  it("puts together what bash splits at = and :", () => {
    const { asked, stdout } = press(["hypertower", "train", "--engine", "=", "onnx"], "none\n--engine=onnx-cpu\t\n");
    expect(asked).toBe("<__complete><1><train><--engine=onnx>");
    expect(stdout.split("\n")[0]).toBe("onnx-cpu");
    expect(press(["hypertower", "train", "--engine", "="], "none\n--engine=onnx-cpu\t\n").stdout.split("\n")[0]).toBe("onnx-cpu");
  });

  it("adds files where the program leaves them to the shell", () => {
    expect(press(["hypertower", "train", "scr"], "files\n").stdout.split("\n")[0]).toBe("script");
  });
});

describe.skipIf(!has("zsh"))("the script for zsh", () => {
  it("passes the words on, and describes the candidates", () => {
    const text = `compdef() { }; source SCRIPT; _describe() { print -rl -- "\${described[@]}" }; _files() { print "files $*" }; words=(hypertower runs show ''); CURRENT=4; _hypertower`;
    const { asked, stdout, stderr } = inShell("zsh", text);
    expect(stderr).toBe("");
    expect(asked).toBe("<__complete><2><runs><show><>");
    expect(stdout).toBe("last:the latest run\nmy run:finished  2026\nit's:failed\n");
    expect(inShell("zsh", text, "folders\n").stdout).toBe("files -/\n");
    expect(inShell("zsh", text, "none\na:b\tc:d\n").stdout).toBe("a\\:b:c:d\n");
  });
});

describe.skipIf(!has("fish"))("the script for fish", () => {
  it("completes a line", () => {
    const { asked, stdout, stderr } = inShell("fish", "source SCRIPT; complete -C 'hypertower runs show '");
    expect(stderr).toBe("");
    expect(asked).toBe("<__complete><2><runs><show><>");
    expect(stdout.split("\n").sort()).toEqual(["", "it's\tfailed", "last\tthe latest run", "my run\tfinished  2026"]);
    expect(inShell("fish", "source SCRIPT; complete -C 'hypertower train scr'", "files\n").stdout).toContain("script");
  });
});

// There is no PowerShell here: only that its brackets and quotes are closed.
describe("the script for PowerShell", () => {
  it("has balanced brackets and quotes", () => {
    const bare = scriptFor("powershell").replace(/^#.*$/gm, "").replace(/^\s*#.*$/gm, "").replace(/'[^']*'|"[^"]*"/g, "");
    for (const [open, close] of ["()", "{}", "[]"] as const) expect([...bare].filter((c) => c === open).length, open).toBe([...bare].filter((c) => c === close).length);
    expect(bare).not.toMatch(/['"]/);
  });
});
