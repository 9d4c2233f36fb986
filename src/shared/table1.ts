/**
 * Table 1 of "Gradient Descent: The Ultimate Optimizer" (Chandra et al., NeurIPS 2022) as
 * experiments: MNIST, an MLP 784-128-10 with tanh after both layers, batches of 256.
 *
 * The paper names 5 epochs for Adam and RMSProp and 30 for SGD, and leaves AdaGrad open:
 * its figures are reached at 30 epochs and not at 5.
 */
import type { ExperimentInput } from "./experiment.ts";
import type { Summary } from "./statistics.ts";

export interface Table1Row {
  /** 1 to 18, as printed. */
  readonly number: number;
  /** The stack as the paper writes it. */
  readonly stack: string;
  readonly tower: NonNullable<ExperimentInput["tower"]>;
  readonly epochs: number;
  /** Test error in percent. */
  readonly paper: Summary;
  /** The second column, plain at the learned values; null for plain optimizers, which learn none. */
  readonly rerun: { readonly learned: Readonly<Record<string, number>>; readonly paper: Summary } | null;
}

/** Runs behind each of the paper's figures. */
const paperSeeds = 3;
const printed = (mean: number, deviation: number): Summary => ({ count: paperSeeds, mean, deviation });
const rerun = (learned: Readonly<Record<string, number>>, mean: number, deviation: number) => ({ learned, paper: printed(mean, deviation) });

const sgd = { optimizer: "sgd" } as const;
const adam = { optimizer: "adam" } as const;
const adamAlpha = { optimizer: "adamBaydin" } as const;
const adaGrad = { optimizer: "adaGrad" } as const;
const rmsProp = { optimizer: "rmsProp" } as const;
const rmsPropAlpha = { optimizer: "rmsPropAlpha" } as const;

const rows: readonly Omit<Table1Row, "number">[] = [
  { stack: "SGD", tower: [sgd], epochs: 30, paper: printed(8.99, 0.05), rerun: null },
  { stack: "SGD / SGD", tower: [sgd, sgd], epochs: 30, paper: printed(4.81, 0.1), rerun: rerun({ alpha: 0.0769 }, 5.44, 0.1) },
  { stack: "SGD / Adam(0.1)", tower: [sgd, { ...adam, alpha: 0.1 }], epochs: 30, paper: printed(4.86, 0.06), rerun: rerun({ alpha: 0.4538 }, 2.8, 0.09) },
  { stack: "SGD / AdaGrad", tower: [sgd, adaGrad], epochs: 30, paper: printed(4.85, 0.21), rerun: rerun({ alpha: 0.0836 }, 5.17, 0.03) },
  { stack: "SGD / RMSProp(0.1)", tower: [sgd, { ...rmsProp, alpha: 0.1 }], epochs: 30, paper: printed(4.52, 0.02), rerun: rerun({ alpha: 0.592 }, 2.52, 0.07) },
  { stack: "Adam", tower: [adam], epochs: 5, paper: printed(4.67, 0.06), rerun: null },
  { stack: "Adam / SGD(1e-5)", tower: [adam, { ...sgd, alpha: 1e-5 }], epochs: 5, paper: printed(3.03, 0.02), rerun: rerun({ alpha: 0.004, beta1: 0.899, beta2: 0.999 }, 3.11, 0.06) },
  { stack: "Adam^α / SGD(1e-5)", tower: [adamAlpha, { ...sgd, alpha: 1e-5 }], epochs: 5, paper: printed(3.12, 0.04), rerun: rerun({ alpha: 0.0021 }, 3.47, 0.02) },
  { stack: "Adam / Adam", tower: [adam, adam], epochs: 5, paper: printed(3.05, 0.09), rerun: rerun({ alpha: 0.0038, beta1: 0.87, beta2: 0.999 }, 3.24, 0.13) },
  { stack: "Adam^α / Adam", tower: [adamAlpha, adam], epochs: 5, paper: printed(3.04, 0.08), rerun: rerun({ alpha: 0.0036 }, 3.08, 0.12) },
  { stack: "AdaGrad", tower: [adaGrad], epochs: 30, paper: printed(7.4, 0.08), rerun: null },
  { stack: "AdaGrad / SGD", tower: [adaGrad, sgd], epochs: 30, paper: printed(6.9, 0.16), rerun: rerun({ alpha: 0.008 }, 7.75, 0.02) },
  { stack: "AdaGrad / AdaGrad", tower: [adaGrad, adaGrad], epochs: 30, paper: printed(5.03, 0.23), rerun: rerun({ alpha: 0.0151 }, 6.67, 0.08) },
  { stack: "RMSProp", tower: [rmsProp], epochs: 5, paper: printed(4.19, 0.47), rerun: null },
  { stack: "RMSProp^α / SGD(1e-4)", tower: [rmsPropAlpha, { ...sgd, alpha: 1e-4 }], epochs: 5, paper: printed(3.55, 0.23), rerun: rerun({ alpha: 0.003 }, 3.93, 0.7) },
  { stack: "RMSProp^{α,γ} / SGD(1e-4)", tower: [rmsProp, { ...sgd, alpha: 1e-4 }], epochs: 5, paper: printed(3.33, 0.07), rerun: rerun({ alpha: 0.0032, gamma: 0.9899 }, 3.25, 0.09) },
  { stack: "RMSProp^α / RMSProp(1e-4)", tower: [rmsPropAlpha, { ...rmsProp, alpha: 1e-4 }], epochs: 5, paper: printed(3.42, 0.45), rerun: rerun({ alpha: 0.0021 }, 3.6, 0.04) },
  { stack: "RMSProp^{α,γ} / RMSProp(1e-4)", tower: [rmsProp, { ...rmsProp, alpha: 1e-4 }], epochs: 5, paper: printed(2.96, 0.11), rerun: rerun({ alpha: 0.002, gamma: 0.9962 }, 3.65, 0.36) },
];

export const table1Rows: readonly Table1Row[] = rows.map((row, i) => ({ number: i + 1, ...row }));

/** The plain optimizer that a row's tower stands on, with the paper's initial values; null for a row that is one. */
export function plainRowOf(row: Table1Row): Table1Row | null {
  return row.rerun === null ? null : (table1Rows.findLast(({ number, rerun }) => rerun === null && number < row.number) ?? null);
}

/** The experiment of a row's first column; everything not named here is the default. */
export function table1Experiment(row: Table1Row, seed: number): ExperimentInput {
  return { name: `Table 1, row ${row.number}: ${row.stack}`, tower: row.tower, budget: { epochs: row.epochs }, seed };
}

/** The plain optimizer at the values that the paper's tower learned; null for a row that learns none. */
export function atPaperValues({ rerun, tower: [bottom] }: Table1Row): Table1Row["tower"] | null {
  return rerun && bottom ? [{ ...bottom, ...rerun.learned }] : null;
}
