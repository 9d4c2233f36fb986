/** Draws docs/pictures/tower-light.svg and tower-dark.svg: a tower, and the one gradient call that serves all of it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

interface Colors {
  readonly text: string;
  readonly soft: string;
  readonly line: string;
  readonly surface: string;
  readonly back: string;
  readonly levels: readonly string[];
}

const light: Colors = { text: "#1b2330", soft: "#5b6675", line: "#c3cad6", surface: "#ffffff", back: "#b3261e", levels: ["#0072b2", "#d55e00", "#00875f"] };
const dark: Colors = { text: "#e6e9ef", soft: "#a3adbb", line: "#4a5362", surface: "#22262e", back: "#ff9e96", levels: ["#56b4e9", "#f08a3c", "#3ec79a"] };

const width = 860;
const boxWidth = 330;
const boxHeight = 62;
const left = 40;
const tops = [330, 228, 126, 24] as const;

interface Row {
  readonly title: string;
  readonly values: string;
  readonly note: string;
  readonly gradient: string | null;
}

/** From the bottom up. */
const rows: readonly Row[] = [
  { title: "Weights", values: "w", note: "", gradient: "∂L/∂w" },
  { title: "Level 0: Adam", values: "α, β₁, β₂", note: "moves the weights", gradient: "∂L/∂α, ∂L/∂β₁, ∂L/∂β₂" },
  { title: "Level 1: SGD", values: "α", note: "moves level 0’s hyperparameters", gradient: "∂L/∂α of level 1" },
  { title: "Level 2: SGD", values: "α, constant", note: "moves level 1’s step size", gradient: null },
];

function draw({ text, soft, line, surface, back, levels }: Colors): string {
  const parts: string[] = [];
  const middle = left + boxWidth / 2;
  const right = left + boxWidth;
  rows.forEach(({ title, values, note, gradient }, i) => {
    const top = tops[i]!;
    const color = i === 0 ? line : levels[i - 1]!;
    parts.push(`<rect x="${left}" y="${top}" width="${boxWidth}" height="${boxHeight}" rx="9" fill="${surface}" stroke="${color}" stroke-width="1.6"/>`);
    if (i > 0) parts.push(`<rect x="${left}" y="${top}" width="7" height="${boxHeight}" rx="3" fill="${color}"/>`);
    parts.push(`<text x="${left + 24}" y="${top + 37}" font-size="17" font-weight="600" fill="${text}">${title}</text>`);
    parts.push(`<text x="${right - 18}" y="${top + 37}" font-size="17" font-style="italic" text-anchor="end" fill="${text}">${values}</text>`);
    if (i > 0) {
      const end = tops[i - 1]! - 5;
      parts.push(`<path d="M${middle - 90} ${top + boxHeight + 4}V${end}" stroke="${soft}" stroke-width="1.8" fill="none" marker-end="url(#down)"/>`);
      parts.push(`<text x="${middle - 74}" y="${(top + boxHeight + end) / 2 + 6}" font-size="14" fill="${soft}">${note}</text>`);
    }
    if (gradient !== null) {
      const y = top + boxHeight / 2;
      const x = 730;
      const start = tops[0] + boxHeight / 2;
      const path = i === 0 ? `M${x - 42} ${y + 14}H${right + 8}` : `M${x} ${start - 34}V${y + 16}Q${x} ${y} ${x - 16} ${y}H${right + 8}`;
      parts.push(`<path d="${path}" stroke="${back}" stroke-width="1.8" stroke-dasharray="6 4" fill="none" marker-end="url(#back)"/>`);
      parts.push(`<text x="${right + 26}" y="${i === 0 ? y + 33 : y - 9}" font-size="15" font-style="italic" fill="${back}">${gradient}</text>`);
    }
  });
  const y = tops[0] + boxHeight / 2;
  parts.push(`<path d="M${right + 6} ${y - 12}H${730 - 44}" stroke="${soft}" stroke-width="1.8" fill="none" marker-end="url(#down)"/>`);
  parts.push(`<text x="${right + 26}" y="${y - 20}" font-size="14" fill="${soft}">model and one batch of data</text>`);
  parts.push(`<circle cx="730" cy="${y}" r="36" fill="${surface}" stroke="${line}" stroke-width="1.6"/><text x="730" y="${y + 6}" font-size="17" font-weight="600" text-anchor="middle" fill="${text}">loss L</text>`);
  parts.push(`<text x="748" y="${tops[1] - 26}" font-size="14" fill="${back}"><tspan x="748">one call of</tspan><tspan x="748" dy="18">reverse-mode</tspan><tspan x="748" dy="18">differentiation</tspan></text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 420" width="${width}" height="420" font-family="system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" role="img">
<title>A tower of three optimizers above the weights; one gradient call gives the gradient of the weights and every hypergradient</title>
<defs>
<marker id="down" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="${soft}"/></marker>
<marker id="back" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="${back}"/></marker>
</defs>
${parts.join("\n")}
</svg>
`;
}

const folder = join(import.meta.dirname, "../../docs/pictures");
for (const [name, colors] of Object.entries({ light, dark })) writeFileSync(join(folder, `tower-${name}.svg`), draw(colors));
