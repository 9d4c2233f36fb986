export interface Held {
  readonly path: string;
  readonly bytes: number;
}
export function brokenRules(files: readonly Held[], target: string): Readonly<Record<string, string[]>>;
export function sizesByPart(files: readonly Held[]): readonly (readonly [part: string, bytes: number])[];
