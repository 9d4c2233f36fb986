/// <reference types="vite/client" />
import type { Bridge } from "@shared/contract.ts";

/** What one drawn line holds, for tests and for people at the console. */
export interface DrawnSeries {
  /** The points as drawn, both extremes of every bucket. */
  points: [number, number][];
  drawn: number;
  /** Values logged, of which `drawn` are shown. */
  total: number;
  /** Where on the page the points are, in pixels; of charts that can be pointed at. */
  places?: [number, number][];
}

declare global {
  interface Window {
    /** Exposed by the desktop app's preload; absent in a browser. */
    readonly hypertower?: Bridge;
    /** Read-only view of every chart on the page: `"<chart's data-testid>/<series name>"` -> its points. */
    hypertowerCharts: Record<string, () => DrawnSeries>;
  }
}
