/** Confusion matrix: classes against predictions, each cell with its count and share of the row. */
import { maxOf } from "../shared/extent.ts";
import { formatCount } from "../shared/format.ts";
import type { ClassificationReport } from "../shared/predictions.ts";
import type { AxisScale } from "./axes.ts";
import { shareText, shownCells } from "./confusion.ts";
import { axisOption, frameOf, labelRoom, roomFor, tooltipOption, type TooltipItem } from "./frame.ts";
import type { DrawApi } from "./heatMapChart.ts";
import { channels, type ChartSettings } from "./theme.ts";

const right = { light: "#2f4bc7", print: "#2f4bc7", dark: "#7d95ff" } as const;
const wrong = { light: "#c93a3a", print: "#c93a3a", dark: "#ff7b72" } as const;
/** Smallest cell width, in pixels, that fits a number. */
const minForNumbers = 30;

/** Size of the picture for a number of classes. */
export function confusionSize(classes: number): { width: number; height: number } {
  const cells = Math.max(280, Math.min(760, 46 * classes));
  return { width: cells + 160, height: cells + 70 };
}

export function confusionChart({ classNames, confusion }: Pick<ClassificationReport, "classNames" | "confusion">, settings: ChartSettings): Record<string, unknown> {
  const { look, inner, parts } = frameOf(settings, []);
  const count = classNames.length;
  // The first class is the top row.
  const rows = classAxis([...classNames].reverse(), look.fontSize * 1.3, inner.height - 60, look.fontSize);
  const left = Math.min(160, labelRoom(rows, look.fontSize)) + look.fontSize + 12;
  const width = inner.width - left - 12;
  const columns = classAxis(classNames, maxOf(classNames.map((name) => roomFor(name, look.fontSize))) + 6, width, look.fontSize);
  const height = inner.height - 8 - look.fontSize * 2 - 24;
  const cells = shownCells(confusion).flat();
  const withNumbers = Math.min(width, height * 1.6) / count >= minForNumbers;
  const data = cells.map((cell): TooltipItem & { value: [number, number] } => ({
    value: [cell.predicted, count - 1 - cell.actual],
    told: () => ({ title: `${classNames[cell.actual]!} taken for ${classNames[cell.predicted]!}`, rows: [{ name: "examples", value: formatCount(cell.count) }, { name: "of the class", value: shareText(cell.share) }] }),
  }));
  const draw = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const { actual, predicted, count: examples, share, strength } = cells[dataIndex]!;
    const [x, y] = data[dataIndex]!.value;
    const [a, b] = [api.coord([x - 0.5, y + 0.5]), api.coord([x + 0.5, y - 0.5])];
    const shape = { x: a[0] + 1, y: a[1] + 1, width: Math.max(1, b[0] - a[0] - 2), height: Math.max(1, b[1] - a[1] - 2), r: 2 };
    const fill = mixed(look.strip, (actual === predicted ? right : wrong)[settings.theme], 0.62 * strength);
    const words = withNumbers && examples > 0 ? [formatCount(examples), ...(shape.height >= 2.6 * look.fontSize ? [shareText(share)] : [])] : [];
    const middle = shape.y + shape.height / 2;
    return {
      type: "group",
      children: [
        { type: "rect", shape, style: { fill } },
        ...words.map((content, i) => ({
          type: "text",
          silent: true,
          style: {
            text: content,
            x: shape.x + shape.width / 2,
            y: words.length === 1 ? middle : middle + (i === 0 ? -0.55 : 0.65) * look.fontSize,
            fill: i === 0 ? look.text : look.soft,
            fontSize: i === 0 ? look.fontSize - 0.5 : look.fontSize - 3,
            fontFamily: look.fontFamily,
            align: "center",
            verticalAlign: "middle",
          },
        })),
      ],
    };
  };
  return {
    ...parts,
    grid: [{ left: inner.left + left, top: inner.top + 8, width, height, outerBoundsMode: "none" }],
    xAxis: [axisOption("x", { look, log: false, scale: columns, gridIndex: 0, lines: false, name: "Predicted class", nameGap: look.fontSize + 16 })],
    yAxis: [axisOption("y", { look, log: false, scale: rows, gridIndex: 0, lines: false, name: "Class", nameGap: Math.min(160, labelRoom(rows, look.fontSize)) + 2 })],
    series: [{ type: "custom", animation: false, data, renderItem: draw }],
    ...tooltipOption(settings),
  };
}

/**
 * An axis of classes; labels where they fit. @param room width of one label, @param length of the
 * axis, in pixels
 */
function classAxis(names: readonly string[], room: number, length: number, fontSize: number): AxisScale {
  const most = Math.max(4, Math.floor(150 / (0.6 * fontSize)));
  const label = (tick: number) => {
    const name = names[tick] ?? "";
    return name.length > most ? `${name.slice(0, most - 1)}…` : name;
  };
  const every = Math.max(1, Math.ceil((room * names.length) / length));
  return { min: -0.5, max: names.length - 0.5, ticks: names.map((_, i) => i).filter((i) => i % every === 0), label, value: label, offset: null };
}

function mixed(ground: string, color: string, share: number): string {
  const [from, to] = [channels(ground), channels(color)];
  return `rgb(${from.map((value, i) => Math.round(value + (to[i]! - value) * share)).join(",")})`;
}
