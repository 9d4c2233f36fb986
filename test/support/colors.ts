/** How colors look to normal eyes and to those with a color-vision deficiency. */
import { channels } from "../../src/charts/theme.ts";

/** Severe deficiencies after Machado, Oliveira and Fernandes (2009), on linear light. */
export const eyes: Record<string, readonly number[]> = {
  all: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
/** L*, a* and b* of a color to eyes. */
export const lab = (color: string, eye: readonly number[]): number[] => {
  const [r, g, b] = channels(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const seen = [0, 3, 6].map((row) => Math.max(0, eye[row]! * r! + eye[row + 1]! * g! + eye[row + 2]! * b!));
  const xyz = [
    (0.4124 * seen[0]! + 0.3576 * seen[1]! + 0.1805 * seen[2]!) / 0.9505,
    0.2126 * seen[0]! + 0.7152 * seen[1]! + 0.0722 * seen[2]!,
    (0.0193 * seen[0]! + 0.1192 * seen[1]! + 0.9505 * seen[2]!) / 1.089,
  ].map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
  return [116 * xyz[1]! - 16, 500 * (xyz[0]! - xyz[1]!), 200 * (xyz[1]! - xyz[2]!)];
};

/** Distance of two colors to eyes. */
export const distance = (a: string, b: string, eye: readonly number[]): number => Math.hypot(...lab(a, eye).map((value, i) => value - lab(b, eye)[i]!));

/** Contrast as WCAG defines it, from 1 to 21. */
export function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [r, g, blue] = channels(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}
