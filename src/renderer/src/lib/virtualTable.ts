/** Cells and columns of the virtualized tables. */
import { h, type VNode } from "vue";
import { RouterLink } from "vue-router";
import type { Column } from "element-plus";

export type SortOrder = "asc" | "desc";

/** In one line, whole where the pointer rests. */
export const textCell = (value: string, title = value, className = ""): VNode => h("span", { class: `ellipsis ${className}`, title }, value);

/** A link in a row that itself leads somewhere when it is clicked. */
export const linkCell = (to: string, label: string): VNode => h(RouterLink, { to, class: "name ellipsis", title: label, onClick: (event: Event) => event.stopPropagation() }, () => label);

export const numberColumn = { align: "right" } as const;
/** Text that follows a column of numbers keeps its distance. */
export const afterNumber = { class: "after-number", headerClass: "after-number" } as const;

/** A column that can be sorted by. */
export function sortableColumn<Row>(key: string, title: string, width: number, cell: (row: Row) => VNode, extra: Partial<Column<Row>> = {}): Column<Row> {
  return { key, dataKey: key, title, width, sortable: true, cellRenderer: ({ rowData }: { rowData: Row }) => cell(rowData), ...extra };
}
