import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readWindowState, startBounds, writeWindowState } from "../../../src/main/desktop/windowState.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-window-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

describe("the window's state", () => {
  const state = { bounds: { x: 10, y: 20, width: 1000, height: 700 }, maximized: true };

  it("is read back as it was written, and leaves nothing beside it", () => {
    const file = join(folder, "deep", "place.json");
    writeWindowState(file, state);
    expect(readWindowState(file)).toEqual(state);
    expect(readdirSync(join(folder, "deep"))).toEqual(["place.json"]);
  });

  it("is not used when it is missing or damaged", () => {
    const file = join(folder, "place.json");
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(readWindowState(file)).toBeNull();
    expect(log).not.toHaveBeenCalled();
    for (const text of ["", "{", "null", JSON.stringify({ ...state, bounds: { ...state.bounds, width: 1 } })]) {
      writeFileSync(file, text);
      expect(readWindowState(file), text).toBeNull();
    }
    expect(log).toHaveBeenCalledTimes(4);
  });
});

describe("bounds to open with", () => {
  const left = { x: 0, y: 25, width: 1440, height: 875 };
  const right = { x: 1440, y: 0, width: 1920, height: 1080 };

  it("keeps a place that can be seen", () => {
    const saved = { x: 1500, y: 100, width: 1200, height: 800 };
    expect(startBounds(saved, [left, right])).toEqual(saved);
  });

  it("lets go of a place on a display that is gone, or with the title bar out of reach", () => {
    for (const saved of [
      { x: 1500, y: 100, width: 1200, height: 800 },
      { x: -1150, y: 100, width: 1200, height: 800 },
      { x: 10, y: -500, width: 1200, height: 800 },
      { x: 10, y: 890, width: 1200, height: 800 },
    ]) {
      expect(startBounds(saved, [left]), JSON.stringify(saved)).toEqual({ width: 1360, height: 875 });
    }
  });

  it("is never larger than the display", () => {
    expect(startBounds({ x: 0, y: 25, width: 3000, height: 2000 }, [left])).toEqual({ x: 0, y: 25, width: 1440, height: 875 });
    expect(startBounds(null, [{ x: 0, y: 0, width: 1024, height: 700 }])).toEqual({ width: 1024, height: 700 });
  });
});
