export const desktopEntry: string;
export const mimeInfo: string;
export function makeDeb(options: { readonly app: string; readonly target: string; readonly output: string; readonly work: string }): string;
