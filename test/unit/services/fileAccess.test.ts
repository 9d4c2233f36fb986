/** Which files a window may have read. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { contract, requestNames } from "../../../src/shared/contract.ts";
import { pathRequests } from "../../../src/shared/pathRequests.ts";
import { FileAccess } from "../../../src/main/services/fileAccess.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

let folder = "";
let access: FileAccess;
beforeEach(() => {
  folder = freshFolder();
  for (const name of ["granted", "granted-not"]) mkdirSync(join(folder, name));
  for (const name of ["a.csv", "secret.csv", "granted/in.csv", "granted-not/in.csv"]) writeFileSync(join(folder, name), "1,2\n");
  access = new FileAccess("choose it");
});
const preview = (path: string) => access.refusal("datasets.preview", { path });
const refused = (path: string) => `${path} may not be read from this window; choose it`;

describe("access to files", () => {
  it("is to what was granted, and to all that is in a granted folder", async () => {
    const at = (name: string) => join(folder, name);
    expect(await preview(at("a.csv"))).toBe(refused(at("a.csv")));
    access.grant(at("a.csv"));
    access.grant(at("granted"));
    for (const name of ["a.csv", "granted", "granted/in.csv", "granted/../a.csv"]) expect(await preview(at(name)), name).toBeNull();
    for (const name of ["secret.csv", "", "granted-not/in.csv"]) expect(await preview(at(name)), name).toBe(refused(at(name)));
    const sneaky = `${at("granted")}/../secret.csv`;
    expect(await preview(sneaky)).toBe(refused(sneaky));
    expect(await preview("granted/in.csv")).toContain("may not be read");
  });

  it("does not tell whether a file exists", async () => {
    expect(await preview("/none/at/all")).toBe(refused("/none/at/all"));
    expect(() => access.grant(join(folder, "none"))).toThrow("ENOENT");
  });

  it("follows no link out of what was granted", async () => {
    const link = join(folder, "granted", "link.csv");
    symlinkSync(join(folder, "secret.csv"), link);
    access.grant(join(folder, "granted"));
    expect(await preview(link)).toBe(refused(link));
    // A granted link is the file that it led to at that time.
    const own = join(folder, "own.csv");
    symlinkSync(join(folder, "a.csv"), own);
    access.grant(own);
    expect(await preview(own)).toBeNull();
    rmSync(own);
    renameSync(link, own);
    expect(await preview(own)).toBe(refused(own));
  });

  it("is checked for each path of an import", async () => {
    access.grant(join(folder, "a.csv"));
    const arrays = (features: string, targets: string) => access.refusal("datasets.create", { order: { form: "arrays", title: "x", features: { path: join(folder, features) }, targets: { path: join(folder, targets) }, task: "regression" } });
    expect(await arrays("a.csv", "a.csv")).toBeNull();
    expect(await arrays("a.csv", "secret.csv")).toContain("secret.csv may not be read");
    expect(await access.refusal("datasets.create", { order: { form: "text", title: "x", path: join(folder, "secret.csv") } })).toContain("may not be read");
    expect(await access.refusal("datasets.import", { kind: "mnist", path: join(folder, "secret.csv") })).toContain("may not be read");
  });

  it("leaves requests without files, and invalid ones, to others", async () => {
    expect(await access.refusal("runs.list", {})).toBeNull();
    expect(await access.refusal("datasets.preview", { path: 3 })).toBeNull();
    expect(await access.refusal("constructor", {})).toBeNull();
    expect(await access.refusal(null, {})).toBeNull();
  });
});

it("is asked about every request with a path in its schema", () => {
  /** Names of all fields of a JSON schema. */
  const fields = (schema: unknown): string[] =>
    typeof schema !== "object" || schema === null ? [] : Object.entries(schema).flatMap(([key, value]) => [...(key === "properties" ? Object.keys(value as object) : []), ...fields(value)]);
  const naming = requestNames.filter((name) => fields(z.toJSONSchema(contract.requests[name].input, { io: "input", unrepresentable: "any" })).some((field) => /^(path|paths|folder|dir|directory|file|files|target|into)$/i.test(field)));
  // A report's file is one of the report, not of the disk.
  expect(naming.filter((name) => name !== "reports.file").sort()).toEqual(Object.keys(pathRequests).sort());
});
