export const targets: readonly string[];
export function nativesOf(target: string): readonly { readonly name: string; readonly files: readonly string[] }[];
export const external: readonly (string | RegExp)[];
