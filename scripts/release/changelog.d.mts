export function sectionOf(changelog: string, version: string): { readonly date: string; readonly notes: string } | null;
