/** Draws charts without a window: SVG by the chart library, PNG from that SVG. */
import { Resvg } from "@resvg/resvg-js";
import { init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { chartModules } from "../../../charts/modules.ts";
import { exportFont, type ChartSize } from "../../../charts/theme.ts";
import { fontFaces, fontFiles, textWidth, type FontFile } from "./fonts.ts";

let ready = false;

function prepare(): void {
  if (ready) return;
  use([...chartModules, SVGRenderer]);
  // Without a canvas, measure text in the font that draws it.
  setPlatformAPI({ measureText: (text: string, font?: string) => ({ width: textWidth(text, font) }) });
  ready = true;
}

/** An SVG of `width` by `height` pixels with real text. Equal options give equal files. */
export function renderSvg(option: Record<string, unknown>, { width, height }: ChartSize): string {
  prepare();
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(option);
    return plain(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** Removes interactive parts, and names that depend on what the process drew before. */
function plain(svg: string): string {
  const named = new Map<string, string>();
  return svg
    .replace(/ ecmeta_[a-z_]+="[^"]*"/g, "")
    .replace(/<style ?>[\s\S]*?<\/style>\n?/g, "")
    .replace(/ class="[^"]*"/g, "")
    .replace(/\bzr\d+-[\w-]+/g, (id) => named.get(id) ?? (named.set(id, `p${named.size}`), named.get(id)!));
}

/** A standalone SVG file with the font embedded. */
export function withFonts(svg: string): string {
  return svg.replace(/^(<svg[^>]*>)/, (tag) => `${tag}<style>${fontFaces()}</style>`);
}

const fontOptions = (files: readonly FontFile[]) => ({
  fontFiles: files.map(({ path }) => path),
  loadSystemFonts: false,
  defaultFontFamily: exportFont,
  sansSerifFamily: exportFont,
});

/** Files that were found to draw text. */
const usable = new Set<string>();

/** The renderer leaves out text without a word where it cannot load a font. @throws Error naming the file */
function requireUsable(file: FontFile): void {
  if (usable.has(file.path)) return;
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="50" font-family="${exportFont}" font-weight="${file.weight}">A</text></svg>`;
  if (!new Resvg(text, { font: fontOptions([file]), logLevel: "warn" }).getBBox()) {
    throw new Error(`The font ${file.path} cannot be loaded, and a PNG would have no text: install Hypertower again, or export SVG`);
  }
  usable.add(file.path);
}

/** A PNG at `scale` times the SVG's size. @throws Error where a font cannot be loaded */
export function renderPng(svg: string, scale: number, files: readonly FontFile[] = fontFiles()): Buffer {
  files.forEach(requireUsable);
  return new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, font: fontOptions(files), logLevel: "warn" }).render().asPng();
}
