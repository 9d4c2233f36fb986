/** Draws charts without a window: SVG by the chart library, PNG from that SVG. */
import { Resvg } from "@resvg/resvg-js";
import { init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { chartModules } from "../../../charts/modules.ts";
import { exportFont, type ChartSize } from "../../../charts/theme.ts";
import { fontFaces, fontFiles, textWidth } from "./fonts.ts";

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

/** A PNG at `scale` times the SVG's size. */
export function renderPng(svg: string, scale: number): Buffer {
  const picture = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: exportFont, sansSerifFamily: exportFont },
    logLevel: "off",
  });
  return picture.render().asPng();
}
