/** Senders and values that only a page gone bad would send over IPC. */
import type { RandomJson } from "./randomJson.ts";

/** Frame of the window's own page. */
export const own = { url: "app://hypertower/", origin: "app://hypertower", parent: null };
/** Frames that may send nothing. */
export const foreign: readonly unknown[] = [
  null,
  { ...own, parent: own },
  { ...own, url: "https://elsewhere.invalid/" },
  { ...own, origin: "https://elsewhere.invalid" },
  { ...own, origin: "null" },
  { ...own, url: "about:srcdoc" },
  { ...own, url: "data:text/html,x" },
  { url: "https://elsewhere.invalid/", origin: "https://elsewhere.invalid", parent: null },
  { ...own, url: "app://hypertower.elsewhere.invalid/" },
  { ...own, url: "" },
];

/** What structured clones carry beyond JSON, and more than a message may be. */
export function exotic(random: RandomJson): unknown {
  const cyclic: Record<string, unknown> = { run: "x" };
  cyclic["experiment"] = cyclic;
  const wrap = (value: unknown) => random.of([value, { run: value }, { experiment: value }, { study: value }, [value]]);
  switch (random.below(12)) {
    case 0:
      return cyclic;
    case 1:
      return wrap(new Map([["a", 1]]));
    case 2:
      return wrap(new Set([1]));
    case 3:
      return wrap(12n);
    case 4:
      return wrap(new Date(NaN));
    case 5:
      return wrap(new Float64Array([NaN, 1]));
    case 6:
      return wrap(/(a+)+$/);
    case 7:
      return wrap(new Error("x"));
    case 8: {
      let nested: unknown = 1;
      for (let depth = 0; depth < random.of([150, 500, 2_000]); depth++) nested = random.below(2) === 0 ? [nested] : { experiment: nested };
      return wrap(nested);
    }
    case 9:
      return random.below(20) === 0 ? wrap("x".repeat(8 * 1024 * 1024)) : wrap("x".repeat(random.below(10_000)));
    case 10:
      return random.below(20) === 0 ? { runs: Array.from({ length: 1_200_000 }, () => "a") } : { runs: Array.from({ length: random.below(3_000) }, (_, index) => `r${index}`) };
    default:
      return wrap(random.of([NaN, Infinity, -0, undefined, new ArrayBuffer(16)]));
  }
}
