/** Attention of one module on one example: a heat map for each head, queries down and keys across. */
import { maxOf } from "../shared/extent.ts";
import { headMean, shownSymbol, type AttentionModule } from "../shared/reading.ts";
import { linearScale, type AxisScale } from "./axes.ts";
import { axisOption, frameOf, roomFor, text, tooltipOption, type Box, type TooltipItem } from "./frame.ts";
import { addColorBar, type DrawApi, type Parts } from "./heatMapChart.ts";
import { heatColors, orderedMix, type ChartSettings, type Look } from "./theme.ts";

export interface AttentionPicture extends Pick<AttentionModule, "heads" | "queries" | "keys" | "causal"> {
  /** `[heads, queries, keys]` */
  readonly weights: Float32Array;
  /** Names of the positions, such as the symbols of a text; numbers where it is empty. */
  readonly symbols: readonly string[];
  /** Shown head, their mean, or null for the mean and all heads. */
  readonly head: number | "mean" | null;
}

/** One heat map. */
export interface HeadMap {
  readonly title: string;
  /** `[queries, keys]` */
  readonly weights: Float32Array;
}

const barRoom = 84;
const gap = 18;
/** Smallest side of a cell in pixels; smaller ones are joined. */
const minCell = 2.5;

/** Colors from no attention, which is close to the background, to all of it. */
function attentionColors(theme: ChartSettings["theme"]): string[] {
  return theme === "dark" ? heatColors(theme).reverse() : heatColors(theme);
}

/** The heat maps that a picture has. */
export function headMaps({ weights, heads, head }: Pick<AttentionPicture, "weights" | "heads" | "head">): HeadMap[] {
  const size = weights.length / heads;
  const mean = (): HeadMap => ({ title: heads === 1 ? "One head" : `Mean of ${heads} heads`, weights: headMean(weights, heads) });
  const one = (index: number): HeadMap => ({ title: `Head ${index + 1}`, weights: weights.subarray(index * size, (index + 1) * size) });
  if (head === "mean" || heads === 1) return [mean()];
  return head === null ? [mean(), ...Array.from({ length: heads }, (_, i) => one(i))] : [one(head)];
}

/** Columns of maps in a width, and the side of one. */
function layoutOf(width: number, maps: number, left: number): { columns: number; side: number } {
  const inner = width - barRoom - 24;
  const columns = Math.max(1, Math.min(maps, Math.floor((inner + gap) / (210 + left))));
  return { columns, side: Math.min(maps === 1 ? 620 : 420, (inner - gap * (columns - 1)) / columns - left) };
}

const leftOf = (symbols: readonly string[], positions: number, fontSize: number) => Math.min(90, maxOf([roomFor(String(positions), fontSize), ...symbols.map((name) => roomFor(shownSymbol(name), fontSize))]) + 2 * fontSize + 10);

/** Height that a picture needs at a width. */
export function attentionHeight(picture: AttentionPicture, width: number, fontSize = 11.5): number {
  const maps = headMaps(picture).length;
  const { columns, side } = layoutOf(width, maps, leftOf(picture.symbols, picture.queries, fontSize));
  return Math.ceil(Math.ceil(maps / columns) * (side * Math.min(1.4, picture.queries / picture.keys) + 64)) + 12;
}

export function attentionChart(picture: AttentionPicture, settings: ChartSettings): Record<string, unknown> {
  const { look, inner, parts: frame } = frameOf(settings, []);
  const { queries, keys, symbols } = picture;
  const maps = headMaps(picture);
  const left = leftOf(symbols, queries, look.fontSize);
  const { columns, side } = layoutOf(settings.width, maps.length, left);
  const rows = Math.ceil(maps.length / columns);
  const high = maxOf(maps.map(({ weights }) => maxOf(weights))) || 1;
  const parts: Parts = { grid: [], xAxis: [], yAxis: [], series: [] };
  const texts = [...(frame["title"] as Record<string, unknown>[])];
  const each = inner.height / rows;
  const boxOf = (i: number): Box => ({ left: inner.left + 4 + left + (i % columns) * (side + left + gap), top: inner.top + Math.floor(i / columns) * each + 22, width: side, height: Math.max(20, each - 64) });
  maps.forEach((map, i) => {
    const box = boxOf(i);
    texts.push(text(map.title, { left: box.left, top: box.top - 20, fontSize: look.fontSize + 0.5, fontWeight: 600, color: look.text, fontFamily: look.fontFamily, width: box.width }));
    const gridIndex = parts.grid.length;
    const xs = positions(symbols, keys, box.width, maxOf(["000", ...symbols].map((name) => roomFor(shownSymbol(name), look.fontSize))) + 3);
    const ys = positions(symbols, queries, box.height, look.fontSize * 1.15);
    parts.grid.push({ ...box, outerBoundsMode: "none" });
    parts.xAxis.push(axisOption("x", { look, log: false, scale: xs, gridIndex, lines: false, name: "Key", nameGap: look.fontSize + 12 }));
    parts.yAxis.push({ ...axisOption("y", { look, log: false, scale: ys, gridIndex, lines: false, name: "Query", nameGap: left - look.fontSize - 4 }), inverse: true });
    parts.series.push({ ...cells(map, picture, { box, high, look }), xAxisIndex: gridIndex, yAxisIndex: gridIndex });
  });
  const first = boxOf(0);
  const scale = linearScale([0, high]) ?? linearScale([0, 1])!;
  addColorBar(parts, { left: settings.width - barRoom + 10, top: first.top, width: 12, height: Math.min(first.height, 320) }, { log: false, axis: scale, low: 0, high }, "Attention weight", look, attentionColors(look.theme));
  return { ...frame, title: texts, ...parts, ...tooltipOption(settings) };
}

/** Labels of positions where they fit. */
function positions(symbols: readonly string[], count: number, length: number, room: number): AxisScale {
  const every = Math.max(1, Math.ceil((room * count) / length));
  const label = (tick: number) => (Number.isInteger(tick) && tick >= 0 && tick < count ? (symbols[tick] === undefined ? String(tick) : shownSymbol(symbols[tick])) : "");
  return { min: -0.5, max: count - 0.5, ticks: Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every), label, value: label, offset: null };
}

interface CellSettings {
  readonly box: Box;
  readonly high: number;
  readonly look: Look;
}

interface Cell {
  readonly query: number;
  readonly key: number;
  readonly weight: number;
}

/** Cells of a map; where they would be too small, the largest weight of each block of them. */
export function cellsOf({ weights }: HeadMap, { queries, keys, causal }: Pick<AttentionPicture, "queries" | "keys" | "causal">, block: number): Cell[] {
  const found: Cell[] = [];
  for (let top = 0; top < queries; top += block) {
    for (let first = 0; first < keys; first += block) {
      let largest: Cell | null = null;
      for (let query = top; query < Math.min(queries, top + block); query++) {
        for (let key = first; key < Math.min(keys, first + block); key++) {
          const weight = weights[query * keys + key]!;
          if ((!causal || key <= query) && (largest === null || weight > largest.weight)) largest = { query, key, weight };
        }
      }
      if (largest) found.push(largest);
    }
  }
  return found;
}

function cells(map: HeadMap, picture: AttentionPicture, { box, high, look }: CellSettings): Record<string, unknown> {
  const block = Math.max(1, Math.ceil(minCell / Math.min(box.width / picture.keys, box.height / picture.queries)));
  const shown = cellsOf(map, picture, block);
  const colors = attentionColors(look.theme);
  const name = (position: number) => (picture.symbols[position] === undefined ? `position ${position}` : `${shownSymbol(picture.symbols[position])} (position ${position})`);
  const data = shown.map(({ query, key, weight }): TooltipItem & { value: readonly [number, number] } => ({
    value: [key, query],
    told: () => ({
      title: map.title,
      rows: [
        { name: "query", value: name(query) },
        { name: "key", value: name(key) },
        { name: block > 1 ? `largest weight of ${block} × ${block}` : "weight", value: weight.toPrecision(4) },
      ],
    }),
  }));
  const draw = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const { query, key, weight } = shown[dataIndex]!;
    const [x, y] = [key - (key % block), query - (query % block)];
    const [a, b] = [api.coord([x - 0.5, y - 0.5]), api.coord([Math.min(picture.keys, x + block) - 0.5, Math.min(picture.queries, y + block) - 0.5])];
    // Half a pixel more, so that no ground shows between cells.
    return { type: "rect", shape: { x: a[0], y: a[1], width: b[0] - a[0] + 0.5, height: b[1] - a[1] + 0.5 }, style: { fill: orderedMix(colors, weight / high) } };
  };
  return { type: "custom", animation: false, name: map.title, data, renderItem: draw };
}
