import type { Configuration } from "electron-builder";

export const appId: string;
export const fuses: Readonly<Record<string, boolean>>;
export const fileType: { readonly ext: string; readonly name: string; readonly mimeType: string };
export const linkScheme: string;
export function builderConfiguration(electron?: { readonly electronDist?: string; readonly electronVersion?: string }): Configuration;
