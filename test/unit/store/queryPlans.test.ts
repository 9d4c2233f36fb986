import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { openConnections, closeConnections } from "../../../src/main/store/database.ts";
import { isChecking, wholeReads } from "../../support/queryPlans.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

describe("the check of every statement that src/main prepares in a test", () => {
  it("finds reads of whole tables that grow with every step, and no others", () => {
    const connections = openConnections(freshFolder());
    try {
      const { reader } = connections;
      expect(wholeReads(reader, "SELECT count(*) FROM series_values")).toEqual(["SCAN series_values"]);
      expect(wholeReads(reader, "SELECT value FROM series_values WHERE step > ? AND value < @most")).toEqual(["SCAN series_values"]);
      expect(wholeReads(reader, "SELECT count(*) FROM run_events WHERE message = ?")).toHaveLength(1);
      expect(wholeReads(reader, "DELETE FROM buckets WHERE width = ?")).toHaveLength(1);
      expect(wholeReads(reader, "SELECT value FROM series_values WHERE metric = ? AND step > ?")).toEqual([]);
      expect(wholeReads(reader, "SELECT count(*) FROM runs")).toEqual([]);
    } finally {
      closeConnections(connections);
    }
  });

  it("is at work, and refuses", async () => {
    expect(isChecking()).toBe(true);
    const folder = join(freshFolder(), "src", "main");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "careless.mjs"), "export const careless = (db) => db.prepare('SELECT count(*) FROM buckets').get();");
    const { careless } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "careless.mjs")).href)) as { careless: (db: Database.Database) => unknown };
    const connections = openConnections(freshFolder());
    expect(() => careless(connections.reader)).toThrow("A statement reads a whole large table (SCAN buckets)");
    closeConnections(connections);
  });
});
