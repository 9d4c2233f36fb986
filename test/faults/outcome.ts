/** What a fault did to stores and runs. */
export interface Outcome {
  /** How often the fault struck. */
  times: number;
  /** What was acknowledged and is gone. */
  readonly lost: string[];
  /** Stores and files that are not whole. */
  readonly damaged: string[];
  /** Numbers that are not those of an undisturbed run, and runs that cannot be resumed. */
  readonly different: string[];
  /** Other runs of the store that changed. */
  readonly disturbed: string[];
  /** Messages to the person, each once. */
  readonly said: Set<string>;
}

export const newOutcome = (): Outcome => ({ times: 0, lost: [], damaged: [], different: [], disturbed: [], said: new Set() });

export const problemsOf = ({ lost, damaged, different, disturbed }: Outcome): string[] => [
  ...lost.map((text) => `LOST ${text}`),
  ...damaged.map((text) => `DAMAGED ${text}`),
  ...different.map((text) => `DIFFERENT ${text}`),
  ...disturbed.map((text) => `DISTURBED ${text}`),
];

export function addOutcome(to: Outcome, from: Outcome): void {
  to.times += from.times;
  for (const key of ["lost", "damaged", "different", "disturbed"] as const) to[key].push(...from[key]);
  for (const text of from.said) to.said.add(text);
}

/** Messages without what differs from run to run. */
export const plainMessages = (text: string): string[] =>
  text.split("\n").flatMap((line) => {
    const plain = line.replace(/\d{8}-\d{6}-\w+/g, "RUN").replace(/(?:\/[\w.@-]+)+\/([\w.-]+)/g, "…/$1").replace(/\d+/g, "N").trim();
    return plain === "" || /^at |^\(node:N\)|ExperimentalWarning|--trace-warnings/.test(plain) ? [] : [plain.slice(0, 240)];
  });
