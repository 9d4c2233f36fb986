/** Writes docs/reference from the schemas: `npm run docs:reference`. With `--check`, fails if a page is not up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { experiment } from "../../src/shared/experiment.ts";
import { guardSpecs } from "../../src/shared/guard.ts";
import { optionsOf } from "../../src/shared/levelOptions.ts";
import { layerKinds, ownLayer } from "../../src/shared/models/layers.ts";
import { model, modelKinds } from "../../src/shared/models/schema.ts";
import { mayBeOff } from "../../src/shared/optimizers/spec.ts";
import { describeDomain, optimizerNames, optimizers, type HyperparameterSpec } from "../../src/shared/optimizers.ts";
import { axis, axisValues, halving, heights, knob, method, methods, stack, study, upperRule } from "../../src/shared/study/study.ts";
import { fieldRows, shapeOf, type FieldRow } from "./fields.ts";
import { experimentWords, levelWords, modelFieldWords, ruleWords, studyWords, valueWords } from "./words.ts";
import type { z } from "zod";

const folder = join(import.meta.dirname, "../../docs/reference");
/** Wide tables: without the outline beside them. */
const made = "---\naside: false\n---\n\n<!-- Made by npm run docs:reference from the schemas: change those. -->";

const cell = (text: string) => text.replaceAll("|", "\\|");
const table = (head: readonly string[], rows: readonly (readonly string[])[]) => [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`)].join("\n");

const fieldHead = ["field", "meaning", "type", "default", "allowed"];

function fieldTable(rows: readonly FieldRow[], words: (path: string) => string | undefined): string {
  return table(
    fieldHead,
    rows.map(({ path, type, fallback, allowed }) => {
      const meaning = words(path);
      if (meaning === undefined) throw new Error(`scripts/docs/words.ts does not describe ${path}`);
      return [`\`${path}\``, meaning, type, fallback, allowed];
    }),
  );
}

/** The options of a discriminated union by their kind. */
function kindsOf(schema: z.core.$ZodType): ReadonlyMap<string, z.core.$ZodType> {
  const shape = shapeOf(schema);
  if (shape?.kind !== "union") throw new Error("a union was expected");
  return new Map(
    shape.options.map((option) => {
      const fields = shapeOf(option);
      const kind = fields?.kind === "object" ? shapeOf(fields.fields["kind"]!) : undefined;
      if (kind?.kind !== "choice") throw new Error("an option has no kind");
      return [String(kind.values[0]), option];
    }),
  );
}

const withoutKind = (schema: z.core.$ZodType) => fieldRows(schema, new Set(["layers", "facts"])).filter(({ path }) => path !== "kind");

const wordsOf = (kind: string) => (path: string) => modelFieldWords[`${kind}.${path}`] ?? modelFieldWords[path];

function kindSections(schema: z.core.$ZodType, kinds: readonly string[]): string {
  const options = kindsOf(schema);
  return kinds
    .map((kind) => {
      const rows = withoutKind(options.get(kind)!);
      return `### \`${kind}\`\n\n${rows.length === 0 ? "No settings." : fieldTable(rows, wordsOf(kind))}`;
    })
    .join("\n\n");
}

/** Layers with the same settings share a section. */
function layerSections(): string {
  const options = kindsOf(ownLayer);
  const groups = new Map<string, string[]>();
  for (const kind of [...layerKinds, "residual"]) {
    const text = fieldTable(withoutKind(options.get(kind)!), wordsOf(kind));
    groups.set(text, [...(groups.get(text) ?? []), kind]);
  }
  return [...groups].map(([text, kinds]) => `### ${kinds.map((kind) => `\`${kind}\``).join(", ")}\n\n${text}`).join("\n\n");
}

function optimizerSections(): string {
  return Object.values(optimizers)
    .map(({ name, label, help, hyperparameters }) => {
      const rows = (hyperparameters as readonly HyperparameterSpec[]).map((spec) => [`\`${spec.name}\``, spec.help, spec.symbol, String(spec.initial), describeDomain(spec.domain), spec.learnable ? (spec.learnedByDefault === false ? "if named" : "by default") : "never"]);
      return `### \`${name}\`\n\n${label}. ${help}\n\n${table(["field", "meaning", "symbol", "default", "allowed", "learned"], rows)}`;
    })
    .join("\n\n");
}

function optionTable(): string {
  const options = new Map(optimizerNames.flatMap((name) => optionsOf(name).map((spec) => [spec.name, spec] as const)));
  const rows = [...options.values()].map((spec) => {
    const having = optimizerNames.filter((name) => optionsOf(name).some((one) => one.name === spec.name));
    const optimizersOf = having.length === optimizerNames.length ? "all" : having.map((name) => `\`${name}\``).join(", ");
    const where = [optimizersOf, spec.upperOnly ? "levels above 0" : "", spec.levelOnly ? "not in groups" : "", spec.weightsOnly ? "level 0" : "", spec.onlyWith ? `with \`${spec.onlyWith}\`` : ""].filter(Boolean).join("; ");
    const allowed = spec.kind === "flag" ? "true or false" : spec.kind === "choice" ? spec.choices.map(({ value }) => `\`${value}\``).join(", ") : spec.kind === "numbers" ? `1 to ${spec.maxLength} numbers, each ${describeDomain(spec.domain)}` : `${spec.whole ? "whole number, " : ""}${describeDomain(spec.domain)}${mayBeOff(spec) ? ", or `null`" : ""}`;
    const fallback = spec.kind === "flag" ? "`false`" : spec.initial === undefined ? "as published" : `\`${JSON.stringify(spec.initial)}\``;
    return [`\`${spec.name}\``, spec.help, where, fallback, allowed];
  });
  return table(["field", "meaning", "where", "default", "allowed"], rows);
}

function experimentPage(): string {
  const flat = new Set(["dataset.facts", "model", "tower"]);
  const rows = fieldRows(experiment, flat);
  const guards = new Map(guardSpecs.map((spec) => [`guard.${spec.name}`, spec]));
  const described = rows.map((row) => {
    const spec = guards.get(row.path);
    return spec ? { ...row, type: spec.whole ? "whole number" : "number", allowed: describeDomain(spec.domain) } : row.path === "model" || row.path === "tower" ? { ...row, fallback: row.path === "model" ? "follows from the data" : row.fallback, allowed: "", type: row.path === "tower" ? "list of levels" : "object" } : row;
  });
  return `${made}

# Experiment fields

An experiment file holds only what differs from the defaults. \`hypertower train FILE\` trains it; \`--set PATH=VALUE\` sets a
field by its path, such as \`--set tower.0.alpha=1e-3\`. What is not allowed is refused with the field, the value and the
allowed range, before anything starts.

${fieldTable(described, (path) => {
  const spec = guards.get(path);
  return spec ? `${spec.label}: ${spec.help.charAt(0).toLowerCase()}${spec.help.slice(1)}` : experimentWords[path];
})}

## Levels

A level is \`{ "optimizer": NAME, … }\`: the optimizer's hyperparameters, which of them are learned, and options.
Explanations: [Levels of a tower](../levels.md).

${optimizerSections()}

### Fields of every level

${table(["field", "meaning"], Object.entries(levelWords).map(([name, meaning]) => [`\`${name}\``, meaning]))}

### Options

${optionTable()}

## Models

\`"model": { "kind": KIND, … }\`. Explanations: [Models and layers](../models.md).

${kindSections(model, modelKinds)}

## Layers

Entries of \`model.layers\` of a \`sequential\` model.

${layerSections()}
`;
}

function studyPage(): string {
  const flat = new Set(["base", "axes", "heights", "stacks", "methods", "halving"]);
  const inside = (name: string, schema: z.core.$ZodType, keep: readonly string[] = []) => fieldRows(schema, new Set(keep)).map((row) => ({ ...row, path: `${name}${row.path}` }));
  const words = (path: string) => studyWords[path];
  const kinds = (schema: z.core.$ZodType, meanings: Readonly<Record<string, string>>) =>
    table(
      ["kind", "fields", "meaning"],
      [...kindsOf(schema)].map(([kind, option]) => {
        const rows = fieldRows(option).filter(({ path }) => path !== "kind");
        return [`\`${kind}\``, rows.map(({ path, type, fallback, allowed }) => `\`${path}\`: ${[type, allowed, fallback === "required" ? "" : `default ${fallback}`].filter(Boolean).join(", ")}`).join("; "), meanings[kind]!];
      }),
    );
  const typed = fieldRows(study, flat).map((row) => (row.path === "base" ? { ...row, type: "experiment", allowed: "" } : row));
  const types: Readonly<Record<string, string>> = { "heights.rule": "object", "heights.upper": "level", "heights.upperAt": "object", "stacks[].tower": "list of levels", "methods.factors": "object", "methods.list": "list of objects", "methods.list[].tower": "list of levels", "methods.list[].start": "object", "methods.list[].knobs": "list of objects", "axes[].values": "object" };
  const typedRows = (rows: readonly FieldRow[]) => rows.map((row) => (types[row.path] ? { ...row, type: types[row.path]!, allowed: "" } : row));
  return `${made}

# Study fields

A study file holds only what differs from the defaults. \`hypertower study FILE\` trains it, \`--dry-run\` lists its runs and
what they take. Explanations: [Studies](../studies.md).

${fieldTable(typed, words)}

## Axes

${fieldTable(typedRows(inside("axes[].", axis, ["values"])), words)}

### Values

\`log\` spaces values evenly in the logarithm, so its range lies above 0.

${kinds(axisValues, valueWords)}

## Heights

${fieldTable(typedRows(inside("heights.", heights, ["rule", "upper", "upperAt"])), words)}

### Rules

${kinds(upperRule, ruleWords)}

## Stacks

${fieldTable(typedRows(inside("stacks[].", stack, ["tower"])), words)}

## Methods

${fieldTable(typedRows(inside("methods.", methods, ["factors", "list"])), words)}

### Method

${fieldTable(typedRows(inside("methods.list[].", method, ["tower", "start", "knobs"])), words)}

### Knob

\`start\` has the same fields.

${fieldTable(inside("methods.list[].knobs[].", knob), words)}

## Successive halving

${fieldTable(inside("halving.", halving), words)}
`;
}

export const referencePages: Readonly<Record<string, () => string>> = { "experiment.md": experimentPage, "study.md": studyPage };

if (process.argv[1] === import.meta.filename) {
  const isCheck = process.argv.includes("--check");
  for (const [name, page] of Object.entries(referencePages)) {
    const text = page();
    const path = join(folder, name);
    if (!isCheck) writeFileSync(path, text);
    else if (readFileSync(path, "utf8") !== text) {
      console.error(`docs/reference/${name} is not up to date; run: npm run docs:reference`);
      process.exitCode = 1;
    }
  }
}
