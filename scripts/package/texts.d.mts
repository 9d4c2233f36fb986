export function textShare(png: Buffer, svg: string): Promise<number>;
