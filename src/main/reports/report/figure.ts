/** A picture of a report: what it shows, and how it is drawn at any size and in any theme. */
import { exportFont, type ChartSettings, type ChartSize, type ChartTheme } from "../../../charts/theme.ts";
import { renderPng, renderSvg, withFonts } from "../pictures/render.ts";

export interface Figure {
  /** Of its files: letters, digits, dashes and dots. */
  readonly name: string;
  readonly title: string;
  /** What it shows, in a sentence or two. */
  readonly caption: string;
  readonly size: ChartSize;
  /** Lines that name the configuration. */
  readonly footer: readonly string[];
  option(settings: ChartSettings): Record<string, unknown>;
}

export interface PictureOptions {
  readonly theme: ChartTheme;
  /** Pixels at scale 1; the figure's own by default. */
  readonly width?: number;
  readonly height?: number;
}

/** The picture as an SVG with its title and footer; text in the font that `withFonts` puts inside. */
export function drawSvg(figure: Figure, { theme, width = figure.size.width, height = figure.size.height }: PictureOptions): string {
  const { title, footer } = figure;
  return renderSvg(figure.option({ theme, width, height, title, footer, fontFamily: exportFont, fontSize: 12 }), { width, height });
}

/** Without title and footer, which stand around it in a document; `id` keeps its names apart from those of other pictures there. */
export function drawInline(figure: Figure, theme: ChartTheme, id: string): string {
  const { size } = figure;
  const svg = renderSvg(figure.option({ theme, ...size, fontFamily: exportFont, fontSize: 12 }), size);
  return svg
    .replace(/\b(id="|url\(#)(p\d+)/g, `$1${id}-$2`)
    .replace(/^<svg[^>]*>/, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${attribute(figure.title)}">`);
}

const attribute = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

export const pictureFormats = ["svg", "png"] as const;
export type PictureFormat = (typeof pictureFormats)[number];

/** A picture as a file. `scale` multiplies the pixels of a PNG. */
export function pictureFile(figure: Figure, format: PictureFormat, { scale = 2, ...options }: PictureOptions & { readonly scale?: number }): string | Buffer {
  const svg = drawSvg(figure, options);
  return format === "svg" ? withFonts(svg) : renderPng(svg, scale);
}
