/** The paper's Table 1 as a study: a stack for each row, a rerun of each tower, and on request the plain optimizers at the paper's values. */
import { newExperiment } from "../presets.ts";
import { atPaperValues, plainRowOf, table1Rows, type Table1Row } from "../table1.ts";
import { seedsOf } from "./stacks.ts";
import { study as studySchema, type Stack, type Study, type StudyInput } from "./study.ts";

/** `rerun`: plain at the values each run learned, the paper's second column; `atPaper`: plain at the values that the paper's tower learned. */
export const table1Columns = ["tower", "rerun", "atPaper"] as const;
export type Table1Column = (typeof table1Columns)[number];

const suffixes: Record<Table1Column, string> = { tower: "", rerun: ", plain at the learned values", atPaper: ", plain at the paper's learned values" };

/** Epochs of every row in the quick edition; the full one uses the paper's. */
const quickEpochs = 2;

export interface Table1Edition {
  readonly quick: boolean;
}

/** Row and column of a stack of the study. */
export interface Table1Cell {
  readonly row: Table1Row;
  readonly column: Table1Column;
}

export const table1StackName = ({ number, stack }: Table1Row, column: Table1Column): string => `${number}: ${stack}${suffixes[column]}`;

/** Columns that a row has. */
export const columnsOf = (row: Table1Row): readonly Table1Column[] => (row.rerun ? table1Columns : ["tower"]);

const cells: ReadonlyMap<string, Table1Cell> = new Map(table1Rows.flatMap((row) => columnsOf(row).map((column) => [table1StackName(row, column), { row, column }] as const)));

/** Cell of a stack in the table; undefined for a stack that is not in it. */
export const table1CellOf = (stack: string): Table1Cell | undefined => cells.get(stack);

/** Seeds by stack name; stacks without seeds are omitted. A rerun has its source's. */
export type Table1Seeds = ReadonlyMap<string, readonly number[]>;

/** The same seeds for the requested rows and columns. */
export function table1Seeds(rows: readonly Table1Row[], seeds: readonly number[], paperValues: boolean): Table1Seeds {
  const asked = rows.flatMap((row) => columnsOf(row).filter((column) => paperValues || column !== "atPaper").map((column) => table1StackName(row, column)));
  return new Map(asked.map((name) => [name, seeds]));
}

export function table1Study(seeds: Table1Seeds, { quick }: Table1Edition): StudyInput {
  const all = [...new Set([...seeds.values()].flat())].sort((a, b) => a - b);
  const stacks = [...cells].flatMap(([name, { row, column }]): NonNullable<StudyInput["stacks"]> => {
    const own = seeds.get(name);
    if (!own) return [];
    const plain = plainRowOf(row);
    const against = plain && seeds.has(table1StackName(plain, "tower")) ? table1StackName(plain, "tower") : null;
    if (column === "rerun") return [{ name, rerunOf: table1StackName(row, "tower"), against }];
    const tower = column === "tower" ? row.tower : atPaperValues(row)!;
    return [{ name, tower: [...tower], epochs: quick ? quickEpochs : row.epochs, seeds: own.length === all.length ? null : [...own].sort((a, b) => a - b), against }];
  });
  return { name: quick ? "Table 1, quick" : "Table 1", base: { ...newExperiment }, stacks, seeds: all };
}

/** Key of what a study trains, without what may differ between editions of one study. */
const trained = ({ base, axes, heights, halving, safe }: Study) => JSON.stringify([{ ...base, name: "", engine: null, generator: null }, axes, heights, halving, safe]);
const trainedStack = ({ name, tower, rerunOf, epochs }: Stack) => JSON.stringify([name, tower, rerunOf, epochs]);

/** Seeds by stack of a study that is this edition of the table or a part of it; null for any other study. */
export function seedsOfTable1(study: Study, edition: Table1Edition): Table1Seeds | null {
  if (!study.stacks) return null;
  const seeds = new Map(study.stacks.map((stack) => [stack.name, seedsOf(study, stack)]));
  const own = studySchema.parse(table1Study(seeds, edition));
  const stacks = new Set(own.stacks!.map(trainedStack));
  return trained(own) === trained(study) && study.stacks.every((stack) => stacks.has(trainedStack(stack))) ? seeds : null;
}

/** Union of both; null if `had` already contains `asked`. */
export function mergedTable1(had: Table1Seeds, asked: Table1Seeds): Table1Seeds | null {
  const merged = new Map<string, readonly number[]>(had);
  let more = false;
  for (const [name, seeds] of asked) {
    const all = [...new Set([...(merged.get(name) ?? []), ...seeds])];
    more ||= all.length > (had.get(name)?.length ?? 0);
    merged.set(name, all);
  }
  return more ? merged : null;
}
