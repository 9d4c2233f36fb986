/** Wording about texts whose symbols are words. */
import type { DatasetFacts } from "./catalog/entry.ts";
import { catalogEntry } from "./catalog/index.ts";
import type { DatasetChoice } from "./datasets.ts";
import { formatCount } from "./format.ts";
import { listed } from "./text.ts";

type Facts = { readonly unit?: "words" | undefined } | undefined;

/** What examples of a text are called. */
export const symbolsOf = (facts: Facts): "words" | "characters" => (facts?.unit === "words" ? "words" : "characters");

/** Label of a metric: a perplexity of words says so. */
export function perSymbol(label: string, { facts }: Pick<DatasetChoice, "facts">): string {
  if (facts?.unit !== "words") return label;
  return label.replace(/perplexity$/, "perplexity per word").replace(/bits per character$/, "bits per word");
}

/** Says that perplexities cannot be compared where words of one vocabulary meet another vocabulary; null where they do not. */
export function vocabularyRemark(datasets: readonly DatasetChoice[]): string | null {
  const vocabularies = new Map(
    datasets.flatMap((dataset) => {
      const facts = knownFacts(dataset);
      return facts?.task === "text" ? [[`${symbolsOf(facts)} ${facts.symbols}`, `${facts.title} (${formatCount(facts.symbols ?? 0)} different ${symbolsOf(facts)})`] as const] : [];
    }),
  );
  if (vocabularies.size < 2 || !datasets.some(({ facts }) => facts?.unit === "words")) return null;
  return `Losses and perplexities of different vocabularies are not comparable: ${listed([...vocabularies.values()])}.`;
}

const knownFacts = ({ kind, facts }: DatasetChoice): DatasetFacts | undefined => facts ?? catalogEntry(kind);
