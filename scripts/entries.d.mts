type Entries = Readonly<Record<string, string>>;
export const processes: Readonly<Record<"trainer" | "importer" | "integrityCheck" | "importWorker" | "storeTask" | "batchWorker", string>>;
export const desktop: Entries;
export const headless: Readonly<Record<"headless", string>>;
export const library: Entries;
export function inputOf(entries: Entries, at: (path: string) => string): Record<string, string>;
