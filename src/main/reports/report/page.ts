/** A report as one self-contained HTML file, which also prints well. */
import { fontFaces } from "../pictures/fonts.ts";
import { drawInline, type Figure } from "./figure.ts";
import { html, Html } from "./markup.ts";

const style = `
:root{color-scheme:light;--text:#14181f;--soft:#4d5563;--faint:#69717f;--line:#dfe2e8;--ground:#f5f6f8;--accent:#2f4bc7}
*{box-sizing:border-box}
body{margin:0;color:var(--text);background:#fff;font:15px/1.55 Inter,system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:48px 32px 80px}
h1{font-size:28px;line-height:1.25;margin:0 0 6px}
h2{font-size:19px;margin:44px 0 12px;break-after:avoid}
p{margin:0 0 10px;max-width:78ch}
.soft{color:var(--soft)}.small{font-size:13px}
.verdict{margin:26px 0 30px;padding:18px 22px;border-left:4px solid var(--accent);background:var(--ground);border-radius:0 8px 8px 0}
.verdict strong{display:block;font-size:18px;line-height:1.45;margin-bottom:6px;max-width:72ch;text-wrap:balance}
.verdict ul{margin:0;padding-left:18px;color:var(--soft)}
.notes{margin:0 0 20px;padding:12px 18px;background:#fdf6e3;border-radius:8px}
.notes ul{margin:0;padding-left:18px}
figure{margin:26px 0 34px;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:13.5px;max-width:90ch;margin-top:6px}
figcaption b{color:var(--text)}
.scroll{overflow-x:auto;margin:8px 0 14px}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 18px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{font-weight:600;border-bottom:1.5px solid #9aa2af;white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}
table.numbers td,table.points td{white-space:nowrap}
tr{break-inside:avoid}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;font-size:13.5px;margin:8px 0}
dt{font-weight:600}dd{margin:0;color:var(--soft);overflow-wrap:anywhere}
pre{background:var(--ground);border-radius:8px;padding:14px 18px;font:12.5px/1.5 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
a{color:var(--accent)}
footer{margin-top:56px;padding-top:14px;border-top:1px solid var(--line);color:var(--faint);font-size:12.5px}
@page{size:A4;margin:14mm}
@media print{main{padding:0;max-width:none}dl,table.numbers{break-inside:avoid}body{font-size:11.5px}h1{font-size:21px}h2{font-size:15px;margin-top:24px}.scroll{overflow:visible}table,dl{font-size:10px}td,th{padding-right:10px}pre{font-size:9.5px}figcaption,.small{font-size:10.5px}a{color:inherit;text-decoration:none}}
@media (max-width:640px){main{padding:24px 16px 48px}dl{grid-template-columns:1fr}dd{margin-bottom:8px}}
`;

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** The study or experiment as JSON, so that the report can be imported again. */
  readonly embedded: { readonly kind: "study" | "experiment"; readonly value: unknown };
}

/** Escapes `</`, which would end the script element, in JSON. */
const scriptSafe = (value: unknown) => JSON.stringify(value).replace(/</g, "\\u003c");

export function page({ title, body, embedded }: Page): string {
  const data = new Html(`<script type="application/json" id="hypertower-${embedded.kind}">${scriptSafe(embedded.value)}</script>`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:">
<meta name="generator" content="Hypertower">
<title>${title}</title>
<style>${new Html(fontFaces() + style)}</style>
</head>
<body><main>${body}</main>
${data}
</body>
</html>
`.text;
}

/** Maximum magnification of a figure on the page. */
const largest = 1.1;

export function figureElement(figure: Figure, index: number): Html {
  return html`<figure id="figure-${figure.name}" style="max-width:${Math.round(largest * figure.size.width)}px">${new Html(drawInline(figure, "light", `f${index}`))}<figcaption><b>Figure ${index}.</b> ${figure.caption}</figcaption></figure>`;
}

/** A link that saves a small file embedded in the page. */
export function savedFile(name: string, value: unknown, words: string): Html {
  const data = Buffer.from(`${JSON.stringify(value, null, 2)}\n`).toString("base64");
  return html`<a download="${name}" href="data:application/json;base64,${data}">${words}</a>`;
}
