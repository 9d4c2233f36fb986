/** Shares and cell colors of a confusion matrix. */

export interface Cell {
  readonly actual: number;
  readonly predicted: number;
}

export interface ShownCell extends Cell {
  readonly count: number;
  /** Share of the examples of its class, 0 to 1; null without examples. */
  readonly share: number | null;
  /** Strength of the cell's color, 0 to 1. */
  readonly strength: number;
}

export function shownCells(counts: readonly (readonly number[])[]): ShownCell[][] {
  return counts.map((row, actual) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => {
      const share = all === 0 ? null : count / all;
      // A good model makes few mistakes: a linear scale would leave them white.
      return { actual, predicted, count, share, strength: (share ?? 0) ** (actual === predicted ? 1 / 2 : 1 / 3) };
    });
  });
}

/** A share short enough for a cell: `0.4 %`, `97 %`. */
export function shareText(share: number | null): string {
  if (share === null) return "–";
  const percent = 100 * share;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
