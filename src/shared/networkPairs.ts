/** Lists such as `lm_head.weight=wte.weight, mask=ones` that say how to import a network. */
import { fillings, type Filling } from "./models/graph.ts";

export interface ImportPairs {
  readonly ties?: Record<string, string>;
  readonly fillings?: Record<string, Filling>;
}

/** Pairs by comma or line: `INPUT=ones|zeros|positions` fills an input, any other `A=B` ties two arrays. @throws Error naming a part that is no pair */
export function readImportPairs(text: string): ImportPairs {
  const ties: Record<string, string> = {};
  const filled: Record<string, Filling> = {};
  for (const part of text.split(/[,\n]/).map((one) => one.trim())) {
    if (part === "") continue;
    const at = part.lastIndexOf("=");
    const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    if (at < 0 || name === "" || value === "") throw new Error(`"${part}" is no pair; write NAME=NAME for arrays that are one parameter, or INPUT=ones, zeros or positions`);
    const filling = fillings.find((one) => one === value);
    if (filling) filled[name] = filling;
    else ties[name] = value;
  }
  return { ...(Object.keys(ties).length > 0 ? { ties } : {}), ...(Object.keys(filled).length > 0 ? { fillings: filled } : {}) };
}
