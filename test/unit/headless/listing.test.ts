import { describe, expect, it } from "vitest";
import { listedOf } from "../../../src/shared/listedRun.ts";
import { runColumn, studyColumn, textOf, type RunItem } from "../../../src/main/headless/listing/columns.ts";
import { csv, cut, fitTable, widthOf } from "../../../src/main/headless/listing/fit.ts";
import { glob, parseCondition, parseSort, parseTime } from "../../../src/main/headless/listing/query.ts";
import { closest } from "../../../src/main/headless/nearest.ts";
import { formatOf, refuseBinary } from "../../../src/main/headless/outFile.ts";
import { runOf } from "./runs.ts";

const item = (changes: Parameters<typeof runOf>[1] = {}, input: unknown = {}): RunItem => {
  const summary = runOf(input, changes);
  return { summary, listed: listedOf(summary) };
};
const evaluation = { step: 10, epoch: 1, trainLoss: 1, testLoss: 0.5, testError: 4 };
const learned = [{ level: 0, name: "alpha", metric: "L0.alpha", initial: 0.001, value: 0.02 }];

describe("values of runs by name", () => {
  it("are columns of the list, metrics, hyperparameters and settings", () => {
    const run = item({ evaluation, hyperparameters: learned, tags: ["b", "c"] }, { seed: 7, model: { kind: "mlp", hidden: [8, 4] } });
    const valueOf = (key: string) => runColumn(key).value(run);
    expect(["id", "seed", "testLoss", "alpha", "L0.alpha", "alpha.initial", "model.kind", "model.hidden", "batchSize", "tags", "testRmse", "L9.alpha", "model.nothing"].map(valueOf)).toEqual([
      "r1", 7, 0.5, 0.02, 0.02, 0.001, "mlp", "[8,4]", 256, "b c", null, null, null,
    ]);
    expect(textOf(runColumn("alpha"), run)).toBe("0.02");
  });

  it("that there are not are refused with what is like them", () => {
    expect(() => runColumn("tesError")).toThrow("did you mean testError?");
    expect(() => runColumn("__proto__.x")).toThrow("there is no value named");
    expect(() => studyColumn("divergd")).toThrow("did you mean diverged?");
  });
});

describe("conditions", () => {
  const holds = (text: string, run = item({ evaluation, hyperparameters: learned, name: "Warm start" })) => parseCondition(text, runColumn).holds(run);

  it("compare numbers and texts", () => {
    for (const yes of ["alpha<0.03", "alpha >= 0.02", "testError=4", "model.kind=mlp", "model.kind != cnn", "name~*warm*", "status==running", "testRmse!=3"]) expect(holds(yes), yes).toBe(true);
    for (const no of ["alpha<0.02", "testError>4", "model.kind=cnn", "name~warm", "testRmse<3", "testRmse>=3", "testRmse=3"]) expect(holds(no), no).toBe(false);
  });

  it("are refused where they say nothing", () => {
    for (const bad of ["alpha", "<3", "alpha<", "alpha<big", ""]) expect(() => holds(bad), bad).toThrow(/--where/);
  });
});

describe("patterns", () => {
  it("match whole texts", () => {
    expect(["abc", "a*", "*c", "a?c", "*b*", "**", "A*C"].map((pattern) => glob(pattern)("abc"))).toEqual(Array(7).fill(true));
    expect(["ab", "?", "b*", "a*d", ""].map((pattern) => glob(pattern)("abc"))).toEqual(Array(5).fill(false));
    expect(glob("a.c")("abc")).toBe(false);
  });

  it("with many stars take no longer than the text", () => {
    expect(glob(`${"*a".repeat(200)}*b`)("a".repeat(2_000))).toBe(false);
  });
});

describe("sorting", () => {
  it("puts runs without the value last in either order", () => {
    const runs = [item({ id: "none" }), item({ id: "high", evaluation: { ...evaluation, testError: 9 } }), item({ id: "low", evaluation })];
    const order = (text: string) => [...runs].sort(parseSort(text, runColumn).compare).map(({ listed }) => listed.id);
    expect(order("testError")).toEqual(["low", "high", "none"]);
    expect(order("testError:desc")).toEqual(["high", "low", "none"]);
    expect(() => order("testError:up")).toThrow("expected KEY, KEY:asc or KEY:desc");
  });
});

describe("times", () => {
  const now = new Date(2026, 10, 30, 15).getTime();

  it("are ages, days and dates in local time", () => {
    expect(parseTime("--since", "2h", now)).toBe(now - 7_200_000);
    expect(parseTime("--since", "1.5d", now)).toBe(now - 129_600_000);
    expect(parseTime("--since", "today", now)).toBe(new Date(2026, 10, 30).getTime());
    expect(parseTime("--since", "yesterday", now)).toBe(new Date(2026, 10, 29).getTime());
    expect(parseTime("--since", "2026-11-02", now)).toBe(new Date(2026, 10, 2).getTime());
    expect(parseTime("--since", "2026-11-02T03:04", now)).toBe(new Date(2026, 10, 2, 3, 4).getTime());
    for (const bad of ["soon", "2", "2026-13-40", "-1h"]) expect(() => parseTime("--since", bad, now), bad).toThrow(`--since ${bad}: expected a time`);
  });
});

describe("tables", () => {
  const rows = [["RUN", "STATUS", "NAME"], ["r1", "finished", "a very long name of a run"], ["r2", "failed", "短い"]];

  it("are aligned, also with wide characters", () => {
    expect(widthOf("短い")).toBe(4);
    expect(fitTable([["短い", "x"], ["abcd", "y"]], { flexible: [] })).toBe("短い  x\nabcd  y");
    expect(fitTable(rows, { flexible: [2] })).toBe("RUN  STATUS    NAME\nr1   finished  a very long name of a run\nr2   failed    短い");
  });

  it("are cut to the terminal, the widest column first, and no further than can be read", () => {
    const lines = fitTable(rows, { flexible: [2], width: 30 }).split("\n");
    expect(lines[1]).toBe("r1   finished  a very long na…");
    expect(Math.max(...lines.map(widthOf))).toBe(30);
    expect(fitTable(rows, { flexible: [2], width: 5 }).split("\n")[1]).toBe("r1   finished  a very …");
    expect(cut("短い短い", 5)).toBe("短い…");
  });

  it("escape what controls a terminal, and color cells without moving them", () => {
    const text = fitTable([["A", "B"], ["\u001b[2J", "x"]], { flexible: [], color: (i, cell) => (i === 1 ? `<${cell}>` : cell) });
    expect(text).toBe("A          B\n\\u001b[2J  <x>");
  });

  it("as CSV quote what needs it", () => {
    expect(csv([["a", 'b"c', "d,e"], [1, null, "f\ng"]])).toBe('a,"b""c","d,e"\r\n1,,"f\ng"\r\n');
  });
});

describe("output files", () => {
  it("have the format of their ending, whatever its case", () => {
    const endings = { ".csv": "csv", ".json": "json" } as const;
    expect(formatOf("a/b.CSV", endings)).toBe("csv");
    expect(() => formatOf("b.cvs", endings)).toThrow("there is no format for .cvs; did you mean .csv? Known endings: .csv or .json");
    expect(() => formatOf("b", endings)).toThrow("the file needs an ending");
  });

  it("that are no text do not go to a terminal", () => {
    expect(() => refuseBinary("A .npz file", { isTTY: true })).toThrow("is not written to a terminal");
    expect(() => refuseBinary("A .npz file", { isTTY: false })).not.toThrow();
  });
});

it("suggestions are near, and none for what is far", () => {
  expect(closest("frist", ["first", "second"])).toEqual(["first"]);
  expect(closest("zzz", ["first", "second"])).toEqual([]);
});
