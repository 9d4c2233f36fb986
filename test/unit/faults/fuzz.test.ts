/** Parsers of files from elsewhere: their corpus is accepted, a few mutations are accepted or refused in words. `npm run test:fuzz` tries many more. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultyParsers } from "../../faults/fuzz/parsers/faulty.ts";
import { parsers } from "../../faults/fuzz/parsers/index.ts";
import { corpusOf, inputOf, tryInput } from "../../faults/fuzz/run.ts";
import { faultOf } from "../../faults/fuzz/verdict.ts";
import { fuzz } from "../../faults/fuzz/watch.ts";
import { everything } from "../../support/edition.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Mutations of each parser; slow parsers read whole files several times. */
const mutations = 12;

describe.each(parsers.map((parser) => [parser.name, parser] as const))("%s", (_name, parser) => {
  it("accepts its corpus, and refuses mutations of it in words", async () => {
    const corpus = corpusOf(parser);
    const faults: string[] = [];
    for (let index = 0; index < corpus.length + mutations; index++) {
      const { accepted, fault } = await tryInput(parser, inputOf(parser, corpus, 1, index), folder);
      if (index < corpus.length && !accepted) faults.push(`${corpus[index]!.name} was refused`);
      if (fault) faults.push(`input ${index}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  it.runIf(everything)("stands a few seconds of mutations in a process of its own", async () => {
    const { tries, faults } = await fuzz(parser, 4, Date.now() % 1e6, null);
    expect([...faults.values()]).toEqual([]);
    expect(tries).toBeGreaterThan(0);
  });
});

describe("a fault", () => {
  it("is any error that is not made for a person, also behind one that is", () => {
    expect(faultOf(new Error("x.csv, line 3: 4 values, but the first row has 5"))).toBeNull();
    expect(faultOf(new TypeError("Cannot read properties of undefined"))).toContain("TypeError");
    expect(faultOf("text")).toContain("no Error");
    expect(faultOf(new Error(""))).toContain("without a message");
    expect(faultOf(new Error("x cannot be written", { cause: Object.assign(new Error("denied"), { code: "ERR_ACCESS_DENIED" }) }))).toContain("wrote outside");
  });

  it.each([
    ["crashing", "ended its process with SIGKILL"],
    ...(everything ? [["writing", "wrote outside its folder"], ["polluting", "changed a prototype"]] as const : []),
  ] as const)("of a parser that is %s is found", async (name, what) => {
    const { faults } = await fuzz(faultyParsers.find((parser) => parser.name === name)!, 0.1, 1, null);
    expect([...faults.values()][0]?.what).toContain(what);
  });
});
