/** What a log says of a person: nothing. Every hostile example names something that must not be in its result. */
import { describe, expect, it } from "vitest";
import { Privacy, type PrivateThings } from "../../../src/main/logs/privacy.ts";

const linux: PrivateThings = {
  folders: { app: ["/home/alice o'hara/Apps/hypertower"], store: ["/home/alice o'hara/.local/share/hypertower"], dataset: ["/srv/Patient Data"], home: ["/home/alice o'hara", "/users/al.ice (work)"], temp: ["/tmp"] },
  user: "alice",
  host: "alices-laptop.corp.example",
};
const windows: PrivateThings = {
  folders: { app: ["C:\\Program Files\\Hypertower"], store: ["C:\\Users\\Alice\\AppData\\Roaming\\hypertower"], home: ["C:\\Users\\Alice"] },
  user: "Alice",
  host: "DESKTOP-ALICE",
};
const names = ["Merger with Acme", "x", "résumé", "run", "a.*b"];

function clean(text: string, things = linux): string {
  const privacy = new Privacy(things);
  privacy.names = (found) => names.filter((name) => found.includes(name));
  return privacy.clean(text);
}

describe("a log line keeps what helps", () => {
  it.each([
    ["ENOENT: no such file or directory, open '/home/alice o'hara/.local/share/hypertower/hypertower.sqlite'", "ENOENT: no such file or directory, open '<store>/hypertower.sqlite'"],
    ["/home/alice o'hara/.local/share/hypertower/hypertower.sqlite is damaged (SQLITE_CORRUPT).", "<store>/hypertower.sqlite is damaged (SQLITE_CORRUPT)."],
    ["    at open (file:///home/alice%20o'hara/Apps/hypertower/out/main/headless.js:12:34)", "    at open (<app>/out/main/headless.js:12:34)"],
    ["    at Module._compile (node:internal/modules/cjs/loader:1554:14)", "    at Module._compile (node:internal/modules/cjs/loader:1554:14)"],
    ["    at new Store (/home/alice o'hara/Apps/hypertower/node_modules/better-sqlite3/lib/database.js:51:9)", "    at new Store (<app>/node_modules/better-sqlite3/lib/database.js:51:9)"],
    ["The trainer process was ended by SIGSEGV; its last output:\nterminate called", "The trainer process was ended by SIGSEGV; its last output:\nterminate called"],
    ["store: a commit of 240 rows took 312 ms", "store: a commit of 240 rows took 312 ms"],
    ["/home/alice o'hara/secret/plan.csv could not be moved to /mnt/usb stick/plan.csv", "<home>"],
    ["EACCES: permission denied, rename '/mnt/a/plan.csv' -> '/mnt/b/plan.csv'", "EACCES: permission denied, rename <path> -> <path>"],
  ])("%s", (text, expected) => {
    expect(clean(text).replaceAll("'", "")).toBe(expected.replaceAll("'", ""));
  });
});

describe("nothing private is left of", () => {
  it.each([
    "/home/alice o'hara/Divorce papers/2026, final (signed).csv cannot be read",
    "cannot read /home/alice o'hara/Divorce papers/2026",
    "cannot read \"/home/alice o'hara/Divorce/x\"",
    "'/data/o'brien/Divorce/papers.csv'",
    "file:///home/alice%20o'hara/Divorce/papers.csv",
    "{\"path\":\"/home/alice o'hara/Divorce\"}",
    "/users/al.ice (work)/Divorce papers is missing",
    "/srv/Patient Data/own/Divorce-1234/description.json: bad checksum",
    "/home/alice o'hara/.local/share/hypertower/Divorce.csv",
    "/home/alice o'hara/.local/share/hypertower/checkpoints/../Divorce.checkpoint",
    "/home/alice o'hara/Apps/hypertower/Divorce papers/é.csv",
    "~/Divorce/papers.txt is no table",
    "../../Divorce/papers is no table",
    "Divorce-papers.xlsx has 3 sheets",
    "/home/alice o'hara/.local/share/hypertower/Divorce papers is missing",
    "/home/alice o'hara/.local/share/hypertower/checkpoints/Divorce papers.checkpoint",
    "Divorce\\papers\\x.npy",
    "own/Divorce-9 has been removed",
    "the run “Divorce” failed",
    'the run "Divorce \\" papers" failed',
    'unterminated "Divorce papers',
    "unterminated “Divorce papers\nnext line",
    "Unexpected token 'D', \"Divorce pa\"... is not valid JSON",
    "GET http://127.0.0.1:4444/?token=Divorce failed",
    "https://user:Divorce@example.org/x",
    "mail divorce@example.org",
    "token=Divorce",
    "\\\\server\\share\\Divorce\\x is not there",
    "D:\\Divorce\\x is not there",
    "//Divorce/x",
    "/Divorce",
  ])("%s", (text) => {
    const cleaned = clean(text);
    expect(cleaned).not.toMatch(/divorce|alice|hara|papers/i);
    expect(cleaned).toMatch(/<\w+>/);
  });

  it.each([
    "C:\\Users\\Alice\\Divorce papers\\x.csv cannot be read",
    "C:/Users/Alice/Divorce/x.csv cannot be read",
    '{"path":"C:\\\\Users\\\\Alice\\\\Divorce"}',
    "file:///C:/Users/Alice/Divorce/x.csv",
    "c:\\users\\alice\\Divorce",
    "DESKTOP-ALICE is Alice's",
  ])("%s", (text) => {
    expect(clean(text, process.platform === "linux" ? { ...windows, folders: { ...windows.folders, home: [...windows.folders.home!, "c:\\users\\alice"] } } : windows)).not.toMatch(/divorce|alice/i);
  });

  it("names of runs, studies and datasets, the user and the machine", () => {
    expect(clean("run Merger with Acme failed; merger with acme. Résumé was not stored, nor a.*b")).toBe("<name> <name> failed; <name>. <name> was not stored, nor <name>".replace("<name> was not stored, nor <name>", "Résumé was not stored, nor <name>"));
    expect(clean("malice by Alice on alices-laptop")).toBe("malice by <user> on <host>");
    expect(clean("alices-laptop.corp.example, 10.1.2.3")).toBe("<host>, <address>");
  });

  it("a secret of any form, and a text that imitates a marker", () => {
    expect(clean(`key ${"Ab3-".repeat(12)}`)).toBe("key <secret>");
    expect(clean("\uE000home\uE001/Divorce")).not.toContain("Divorce");
  });
});

it("survives names that cannot be looked up, long texts and quick work", () => {
  const privacy = new Privacy(linux);
  privacy.names = () => {
    throw new Error("the store is closed");
  };
  expect(privacy.clean("it works")).toBe("it works");
  for (const text of ["/a b ".repeat(20_000), "a b c ".repeat(20_000), '"'.repeat(50_000), "/".repeat(50_000), "\\".repeat(50_000), `/x ${"y ".repeat(10_000)}`, "a@".repeat(20_000), "'x".repeat(20_000)]) {
    expect(privacy.clean(text).length).toBeLessThan(60_000);
  }
});
