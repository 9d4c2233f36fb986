/** A band around a line, drawn as one filled outline. */
import type { BandPoint } from "./chartLines.ts";

/**
 * The band as a chart series; none where it has no width. `base` gives its position and the name
 * for its color.
 */
export function bandSeries(outline: readonly BandPoint[], color: string, yLog: boolean, base: Record<string, unknown>): Record<string, unknown>[] {
  const shown = yLog ? outline.filter(({ high }) => high > 0) : outline;
  if (shown.length < 2) return [];
  return [
    {
      ...base,
      type: "custom",
      silent: true,
      clip: true,
      z: 1,
      // One item draws the whole band, from the outline's coordinates.
      encode: { x: -1, y: -1 },
      data: [[0]],
      renderItem: (_: unknown, api: { coord: (at: [number, number]) => [number, number] }) => {
        const floor = shown.reduce((least, { low, high }) => Math.min(least, low > 0 ? low : high), Infinity) / 10;
        const at = (x: number, y: number) => api.coord([x, yLog && y <= 0 ? floor : y]);
        const shape = [...shown.map(({ x, high }) => at(x, high)), ...shown.toReversed().map(({ x, low }) => at(x, low))];
        return { type: "polygon", shape: { points: shape }, style: { fill: color, opacity: 0.16 }, silent: true };
      },
    },
  ];
}
