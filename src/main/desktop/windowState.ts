/** Saves and restores the window's bounds. An unreadable file means the default bounds. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { hostLog } from "../logs/hostLog.ts";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const minSize = { width: 640, height: 480 } as const;
const defaultSize = { width: 1360, height: 900 } as const;

const integer = z.number().int().min(-100_000).max(100_000);
const windowState = z.object({
  bounds: z.object({ x: integer, y: integer, width: integer.min(minSize.width), height: integer.min(minSize.height) }),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof windowState>;

/** The saved state; null where the file is missing or invalid. */
export function readWindowState(file: string): WindowState | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return null; // the first start
  }
  try {
    return windowState.parse(JSON.parse(text));
  } catch (error) {
    hostLog.error(`${file} is not a valid window state and is ignored: ${messageOf(error)}`);
    return null;
  }
}

/** Replaces the file in one step: a crash leaves the old one or the new one. */
export function writeWindowState(file: string, state: WindowState): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  writeFileSync(temporary, `${JSON.stringify(state)}\n`);
  renameSync(temporary, file);
}

/**
 * Bounds to open the window with. Saved bounds are used where at least 100 pixels of the title bar
 * are on a connected display, and are cut to that display's size.
 */
export function startBounds(saved: Rectangle | null, workAreas: readonly Rectangle[]): Partial<Rectangle> & { width: number; height: number } {
  const area = saved && workAreas.find((candidate) => showsTitleBar(saved, candidate));
  if (saved && area) {
    return { x: saved.x, y: saved.y, width: Math.min(saved.width, area.width), height: Math.min(saved.height, area.height) };
  }
  const first = workAreas[0];
  return {
    width: Math.max(minSize.width, Math.min(defaultSize.width, first?.width ?? defaultSize.width)),
    height: Math.max(minSize.height, Math.min(defaultSize.height, first?.height ?? defaultSize.height)),
  };
}

function showsTitleBar(bounds: Rectangle, area: Rectangle): boolean {
  const visible = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x);
  return visible >= 100 && bounds.y >= area.y - 10 && bounds.y <= area.y + area.height - 40;
}
