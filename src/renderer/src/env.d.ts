/// <reference types="vite/client" />
import type { Bridge } from "@shared/contract.ts";

/** A drawn line, exposed to tests and the console. */
export interface DrawnSeries {
  /** The points as drawn: both extremes of every bucket. */
  points: [number, number][];
  drawn: number;
  /** Number of logged values, of which `drawn` are shown. */
  total: number;
  /** Page positions of the points in pixels, for charts with hover. */
  places?: [number, number][];
}

declare global {
  interface Window {
    /** Exposed by the desktop app's preload; undefined in a browser. */
    readonly hypertower?: Bridge;
    /** Read-only view of every chart on the page: `"<chart's data-testid>/<series name>"` -> its points. */
    hypertowerCharts: Record<string, () => DrawnSeries>;
  }
}
