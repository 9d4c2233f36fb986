/** Cells and columns of the virtualized tables. */
import { h, type VNode } from "vue";
import { RouterLink } from "vue-router";
import type { Column } from "element-plus";

export type SortOrder = "asc" | "desc";

/** Text in one line; complete in the tooltip. */
export const textCell = (value: string, title = value, className = ""): VNode => h("span", { class: `ellipsis ${className}`, title }, value);

/** A link in a clickable row. */
export const linkCell = (to: string, label: string): VNode => h(RouterLink, { to, class: "name ellipsis", title: label, onClick: (event: Event) => event.stopPropagation() }, () => label);

export const numberColumn = { align: "right" } as const;
/** Adds space after a column of numbers. */
export const afterNumber = { class: "after-number", headerClass: "after-number" } as const;

/** A sortable column. */
export function sortableColumn<Row>(key: string, title: string, width: number, cell: (row: Row) => VNode, extra: Partial<Column<Row>> = {}): Column<Row> {
  return { key, dataKey: key, title, width, sortable: true, cellRenderer: ({ rowData }: { rowData: Row }) => cell(rowData), ...extra };
}
