export interface Accepted {
  readonly id: string;
  readonly package: string;
  readonly reason: string;
  readonly until: string;
}
export interface Verdict {
  readonly problems: string[];
  readonly remarks: string[];
}
export function acceptedProblems(accepted: unknown, today: Date): string[];
export function judgeAdvisories(answer: unknown, accepted: readonly Accepted[], today: Date): Verdict;
export function judgeElectron(pinned: string, tags: unknown): Verdict;
