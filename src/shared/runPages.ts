/** How long lists of runs are divided. */

/** Runs in a part of a list: a few hundredths of a second in the host. */
export const runsPerPage = 100;

interface Listed {
  readonly id: string;
  readonly createdAt: number;
}

/** Where the part after this one begins; undefined when this is the last. */
export function nextPage(part: readonly Listed[]): Listed | undefined {
  const last = part.length < runsPerPage ? undefined : part.at(-1);
  return last && { id: last.id, createdAt: last.createdAt };
}
