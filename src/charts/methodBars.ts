/** Results of a study of methods as rows and columns of a picture. */
import { knobColumnKeys, methodColumns, methodRows, type MethodColumn, type MethodRow } from "../shared/study/methodTable.ts";
import type { Ranking } from "../shared/study/methodResults.ts";
import type { Sensitivity } from "../shared/study/sensitivity.ts";
import { isOpen } from "../shared/study/verdictWords.ts";
import type { MethodBarColumn, MethodBars } from "./methodsChart.ts";

/** Methods from the best to the worst by a statistic; those without a rank last. */
export function rankedMethods({ methods }: Pick<Sensitivity, "methods">, by: Ranking): string[] {
  const all = methods ?? [];
  const rankOf = ({ ranks }: (typeof all)[number]) => ranks?.[by]?.value ?? Infinity;
  return all.toSorted((a, b) => rankOf(a) - rankOf(b)).map(({ name }) => name);
}

/** Rows of the methods in an order, each followed by its other knobs. */
export function orderedRows(found: Pick<Sensitivity, "heights" | "methods">, order: readonly string[]): MethodRow[] {
  const rows = methodRows(found);
  return order.flatMap((name) => rows.filter(({ method }) => method === name));
}

/** Columns of the picture; a short title where the table's has no room. */
const drawn: Readonly<Record<string, Pick<MethodBarColumn, "mark"> & { readonly title?: string }>> = { width: { mark: "bar" }, atDefault: { mark: "dot", title: "At the default" }, best: { mark: "dot" }, timePerStep: { mark: "bar" } };

/** Name of a knob in a picture: `α of level 1`. */
export const knobName = ({ symbol, level }: MethodRow["knob"]): string => (level === 0 ? symbol : `${symbol} of level ${level}`);

/** Value of a column in a row: a knob has those that differ from its method's. */
export const valueIn = ({ key, of }: MethodColumn, { numbers, result }: MethodRow) => (result || knobColumnKeys.includes(key) ? of(numbers) : null);

/** Usable range, results and cost of every method. */
export function methodBars(found: Sensitivity, order: readonly string[] = rankedMethods(found, "width")): MethodBars {
  const rows = orderedRows(found, order);
  const names = (found.methods ?? []).map(({ name }) => name);
  const all = methodColumns(found);
  const columns = Object.entries(drawn).flatMap(([key, own]): MethodBarColumn[] => {
    const column = all.find((one) => one.key === key);
    if (!column) return [];
    const { title, unit, format } = column;
    return [{ key, title, unit, format, ...own, values: rows.map((row) => valueIn(column, row)), ...(key === "width" && { atLeast: rows.map(({ numbers: { numbers } }) => numbers !== null && isOpen(numbers.usable)) }) }];
  });
  return { methods: names.length, rows: rows.map(({ method, knob, result }) => ({ name: result ? method : knobName(knob), method: names.indexOf(method), isKnob: !result })), columns };
}
