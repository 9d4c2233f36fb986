export interface Release {
  readonly version: string;
  readonly date: string;
  readonly notes: string;
  readonly page: string;
  readonly from: string;
  readonly to: string;
  readonly key?: string | undefined;
}
export function packageOf(name: string): { readonly platform: string; readonly arch: string; readonly form: string } | null;
export function sha256(bytes: Uint8Array): string;
export function signature(bytes: Uint8Array, key: string): string;
export function makeRelease(release: Release): readonly string[];
