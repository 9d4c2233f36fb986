/** Whether a picture has its texts: compares it with the same figure drawn here, with texts and without. */
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import sharp from "sharp";
import { root } from "../setup.mjs";

const fontFiles = ["Regular", "SemiBold"].map((weight) => join(root, "resources", "fonts", `Inter-${weight}.ttf`));

function drawn(svg, width) {
  return new Resvg(svg, { fitTo: { mode: "width", value: width }, font: { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter", sansSerifFamily: "Inter" } }).render().asPng();
}

const pixels = async (png) => sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });

/**
 * @param {Buffer} png of a figure
 * @param {string} svg of the same figure
 * @returns {Promise<number>} share of the pixels that texts change in which the picture is like the figure with texts
 */
export async function textShare(png, svg) {
  const { data: given, info } = await pixels(png);
  const { data: whole } = await pixels(drawn(svg, info.width));
  const { data: bare } = await pixels(drawn(svg.replace(/<text[\s\S]*?<\/text>/g, ""), info.width));
  if (whole.length !== given.length) throw new Error(`the picture has ${info.width} x ${info.height} pixels, unlike its drawing`);
  let [changed, alike] = [0, 0];
  for (let at = 0; at < given.length; at += 4) {
    const distance = (a, b) => Math.abs(a[at] - b[at]) + Math.abs(a[at + 1] - b[at + 1]) + Math.abs(a[at + 2] - b[at + 2]);
    if (distance(whole, bare) < 60) continue;
    changed++;
    if (distance(given, whole) < distance(given, bare)) alike++;
  }
  if (changed === 0) throw new Error("the drawing has no texts");
  return alike / changed;
}
