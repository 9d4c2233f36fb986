import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStaticFile } from "../../../src/main/web/staticFiles.ts";

let folder: string;
let root: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-static-"));
  root = join(folder, "renderer");
  mkdirSync(join(root, "assets"), { recursive: true });
  mkdirSync(join(folder, "renderer-2"));
  writeFileSync(join(root, "index.html"), "<p>home</p>");
  writeFileSync(join(root, "assets", "index-abc.js"), "1;");
  writeFileSync(join(root, "assets", "a b.css"), "p{}");
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "renderer-2", "secret.txt"), "secret");
  symlinkSync(join(folder, "secret.txt"), join(root, "link.txt"));
  symlinkSync(folder, join(root, "up"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("files of the window", () => {
  it("serves what is there, with its type", async () => {
    expect(await readStaticFile(root, "/")).toMatchObject({ contentType: "text/html; charset=utf-8", hashed: false });
    expect(String((await readStaticFile(root, "/index.html"))?.body)).toBe("<p>home</p>");
    expect(await readStaticFile(root, "/assets/index-abc.js")).toMatchObject({ contentType: "text/javascript; charset=utf-8", hashed: true });
    expect(String((await readStaticFile(root, "/assets/a%20b.css"))?.body)).toBe("p{}");
  });

  it("has nothing at other names, and at folders", async () => {
    for (const path of ["/nothing.js", "/assets", "/assets/", "/index.html/x.js", `/${"a".repeat(5000)}.js`]) {
      expect(await readStaticFile(root, path), path).toBeNull();
    }
  });

  it.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/assets/../../secret.txt",
    "/assets/..\\..\\secret.txt",
    "/..%5csecret.txt",
    "/../renderer-2/secret.txt",
    "//etc/hosts.txt",
    "/%00/index.html",
    "/index.html%00.txt",
    "/C:/secret.txt",
    "/%",
    "secret.txt",
    "/link.txt",
    "/up/secret.txt",
  ])("does not leave its folder: %s", async (path) => {
    expect(await readStaticFile(root, path)).toBeNull();
  });

  it("does not leave it by an absolute name either", async () => {
    expect(await readStaticFile(root, encodeURI(join(folder, "secret.txt")))).toBeNull();
    expect(await readStaticFile(root, `/${encodeURIComponent(join(folder, "secret.txt"))}`)).toBeNull();
  });
});
