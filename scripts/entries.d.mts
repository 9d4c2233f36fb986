type Entries = Readonly<Record<string, string>>;
export const processes: Entries;
export const desktop: Entries;
export const headless: Entries;
export const library: Entries;
export function inputOf(entries: Entries, at: (path: string) => string): Record<string, string>;
