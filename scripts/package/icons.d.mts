export const sizes: readonly number[];
export function drawIcons(svg?: string): Map<string, Buffer>;
