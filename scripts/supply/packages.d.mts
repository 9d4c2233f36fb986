import type { Plugin } from "vite";
export interface Notice {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}
interface LockEntry {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}
export function readLock(root: string): Lock;
export function licenseProblems(lock: Lock): string[];
export function lockProblems(lock: Lock): string[];
export function scriptProblems(lock: Lock, allowed: Readonly<Record<string, boolean>>): string[];
export function notices(root: string): Notice[];
export function noticesPlugin(root: string): Plugin;
