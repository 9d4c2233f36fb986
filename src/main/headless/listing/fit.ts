/** Tables that fit the terminal, with statuses in color where that is wanted. */
import { styleText } from "node:util";
import { printable } from "../printable.ts";

const wide = /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const segments = new Intl.Segmenter();
const plain = /^[\x20-\x7e]*$/;

/** Columns of a terminal that a text takes. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segments.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** The text, or its beginning with an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [kept, used] = ["", 0];
  for (const { segment } of segments.segment(text)) {
    used += widthOf(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Narrowest width to which a column is cut. */
const narrowest = 8;
const gap = 2;

export interface TableStyle {
  /** Columns of the terminal; undefined for no limit, as where nobody looks. */
  readonly width?: number | undefined;
  /** Columns that may be cut, by index; the widest is cut first. */
  readonly flexible: readonly number[];
  /** Colors a cell of the body. */
  readonly color?: ((column: number, text: string) => string) | undefined;
}

/** Aligned columns, two spaces apart. The first row is the header. */
export function fitTable(rows: readonly (readonly string[])[], { width, flexible, color }: TableStyle): string {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))));
  if (width !== undefined) {
    let over = widths.reduce((sum, one) => sum + one + gap, -gap) - width;
    while (over > 0) {
      const widest = flexible.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), flexible[0] ?? -1);
      if ((widths[widest] ?? 0) <= narrowest) break;
      const second = Math.max(narrowest, ...flexible.filter((i) => i !== widest).map((i) => widths[i] ?? 0));
      const less = Math.min(over, Math.max(1, widths[widest]! - second));
      widths[widest]! -= less;
      over -= less;
    }
  }
  return cells
    .map((row, at) => {
      const shown = row.map((cell, i) => {
        const text = width === undefined ? cell : cut(cell, widths[i]!);
        const padding = i === row.length - 1 ? "" : " ".repeat(widths[i]! - widthOf(text));
        return `${color && at > 0 ? color(i, text) : text}${padding}`;
      });
      return shown.join(" ".repeat(gap)).trimEnd();
    })
    .join("\n");
}

const statusColors = { finished: "green", running: "cyan", queued: "cyan", paused: "yellow", stopped: "yellow", interrupted: "yellow", diverged: "magenta", failed: "red" } as const;

/** A status in its color, where standard output is a terminal that shows colors (NO_COLOR and FORCE_COLOR are respected). */
export function coloredStatus(status: string): string {
  const color = Object.entries(statusColors).find(([name]) => name === status)?.[1];
  return color ? styleText(color, status, { stream: process.stdout }) : status;
}

/** Prints a table to standard output: cut to a terminal's width, whole elsewhere. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[], flexible: readonly string[], status?: string): void {
  const index = (name: string) => header.indexOf(name);
  const statusAt = status === undefined ? -1 : index(status);
  const text = fitTable([header, ...rows], {
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
    flexible: flexible.map(index).filter((i) => i >= 0),
    color: statusAt < 0 ? undefined : (column, cell) => (column === statusAt ? coloredStatus(cell) : cell),
  });
  process.stdout.write(`${text}\n`);
}

/** A table as CSV (RFC 4180). */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  const field = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}
