/** A figure of a report, drawn at any size and in any theme. */
import { exportFont, type ChartSettings, type ChartSize, type ChartTheme } from "../../../charts/theme.ts";
import { renderPng, renderSvg, withFonts } from "../pictures/render.ts";

export interface Figure {
  /** Base name of its files: letters, digits, dashes and dots. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences. */
  readonly caption: string;
  readonly size: ChartSize;
  /** Lines that describe the configuration. */
  readonly footer: readonly string[];
  option(settings: ChartSettings): Record<string, unknown>;
}

export interface PictureOptions {
  readonly theme: ChartTheme;
  /** Pixels at scale 1; the figure's own width by default. */
  readonly width?: number;
  readonly height?: number;
}

/** The figure as an SVG with title and footer; `withFonts` embeds the font. */
export function drawSvg(figure: Figure, { theme, width = figure.size.width, height = figure.size.height }: PictureOptions): string {
  const { title, footer } = figure;
  return renderSvg(figure.option({ theme, width, height, title, footer, fontFamily: exportFont, fontSize: 12 }), { width, height });
}

/**
 * Without title and footer, which the document shows; `id` makes names inside the SVG unique in the
 * document.
 */
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

/** A figure as a file. `scale` multiplies the pixels of a PNG. */
export function pictureFile(figure: Figure, format: PictureFormat, { scale = 2, ...options }: PictureOptions & { readonly scale?: number }): string | Buffer {
  const svg = drawSvg(figure, options);
  return format === "svg" ? withFonts(svg) : renderPng(svg, scale);
}
