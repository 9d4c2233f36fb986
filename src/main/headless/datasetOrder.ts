/** What `hypertower datasets add` imports: the order for a path, from its preview and the options. */
import { columnRoles, isMostlyNumbers, maxCategories, suggestedTask, type ColumnRole, type ImportOrder, type ImportPreview, type Layout } from "../../shared/datasets.ts";
import { arrayRoles, likelyLabel, type NamedPair, type ValidationUse } from "../../shared/dataSplits.ts";
import type { TextUnit } from "../../shared/alphabet.ts";
import { UserError, type Services } from "../services/services.ts";

/** Options of `hypertower datasets add` that say how files are read. */
export interface OrderOptions {
  readonly title?: string;
  /** Column to predict, by name or number from 1; the last column by default. */
  readonly target?: string;
  readonly ignore?: readonly string[];
  readonly category?: readonly string[];
  readonly task?: "classification" | "regression";
  readonly missing?: "refuse" | "drop" | "fill";
  /** Column that says which rows are for testing, by name or number from 1. */
  readonly split?: string;
  readonly validation?: ValidationUse;
  /** Column of a table with the text, or with encoded images. */
  readonly column?: string;
  /** File with the test examples. */
  readonly test?: string;
  readonly targets?: string;
  readonly testTargets?: string;
  /** `features=NAME`, `targets=NAME`, `test-features=NAME` or `test-targets=NAME`. */
  readonly array?: readonly string[];
  readonly layout?: Layout;
  readonly size?: readonly [number, number];
  readonly gray?: boolean;
  /** Reads any file as bytes. */
  readonly bytes?: boolean;
  /** What a symbol of a text is. */
  readonly symbols?: TextUnit;
  /** For words: times that one must occur. */
  readonly minCount?: number;
  readonly json?: boolean;
}

/** @throws UserError where the options do not fit the files, or say too little about them */
export async function orderOf(services: Services, path: string, options: OrderOptions): Promise<ImportOrder> {
  const title = options.title ?? path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
  if (options.bytes && options.symbols !== undefined && options.symbols !== "bytes") throw new UserError(`--bytes and --symbols ${options.symbols}: choose one`);
  if (options.minCount !== undefined && options.symbols !== "words") throw new UserError("--min-count needs --symbols words");
  if (options.bytes || options.symbols === "bytes") return { form: "text", title, path, unit: "bytes", ...(options.test ? { parts: [{ path: options.test, split: "test" }] } : {}) };
  const preview = await services.handlers["datasets.preview"]({ path });
  if (options.symbols !== undefined && preview.form !== "text" && (preview.form !== "csv" || options.column === undefined)) throw new UserError(`--symbols ${options.symbols}: ${path} is not a text; of a table, name the column with the text by --column`);
  switch (preview.form) {
    case "text":
      return textOrder(title, preview, options);
    case "images": {
      const parts = options.test ? `test images of ${options.test}` : preview.parts.length > 1 ? preview.parts.map(({ split, images }) => `${images} ${split} images`).join(", ") : "testing: a fifth of the images, drawn";
      if (!options.json) console.error(`${preview.classes.length} classes; ${parts}`);
      return { form: "images", title, path, ...imageOptions(options), ...(options.test ? { test: options.test } : {}), ...validationOf(options) };
    }
    case "imageTable": {
      const column = (wanted: string | undefined, allowed: readonly string[], fallback: string) => {
        if (wanted !== undefined && !allowed.includes(wanted)) throw new UserError(`${path} has no such column ${wanted}; allowed: ${allowed.join(", ")}`);
        return wanted ?? fallback;
      };
      const [image, label] = [column(options.column, preview.images, preview.images[0]!), column(options.target, preview.labels, likelyLabel(preview.labels))];
      const parts = partsWith(preview.parts, options);
      if (!options.json) console.error(`images: ${image}; classes: ${label}; ${partsText(parts.slice(1), "testing: a fifth of the images, drawn")}`);
      return { form: "imageTable", title, parts, image, label, ...imageOptions(options), ...validationOf(options) };
    }
    case "arrays":
      return arraysOrder(services, path, title, preview, options);
    case "csv": {
      if (options.column !== undefined) return { form: "text", title, path: preview.path, parts: partsWith(preview.parts, options), column: options.column, ...symbolsChosen(options), ...validationOf(options) };
      const names = preview.columns.map(({ name }) => name);
      const columnIndex = (wanted: string) => {
        const i = names.includes(wanted) ? names.indexOf(wanted) : /^\d+$/.test(wanted) ? Number(wanted) - 1 : -1;
        if (i < 0 || i >= names.length) throw new UserError(`${path} has no column ${wanted}; its columns are: ${names.join(", ")}`);
        return i;
      };
      const split = options.split === undefined ? null : columnIndex(options.split);
      const suggestedTarget = preview.columns.findIndex(({ suggested }) => suggested === "target");
      const target = options.target ? columnIndex(options.target) : suggestedTarget === split ? names.length - 2 : suggestedTarget;
      const [ignored, categories] = [options.ignore, options.category].map((given = []) => given.map(columnIndex)) as [number[], number[]];
      const column = preview.columns[target]!;
      const roles = preview.columns.map(({ suggested, ...counts }, i): ColumnRole => {
        if (i === target) return "target";
        if (i === split) return "split";
        // Another file has the test rows, or another column says them.
        if (suggested === "split" && (split !== null || options.test || ignored.includes(i))) return "ignore";
        if (ignored.includes(i)) return "ignore";
        if (categories.includes(i)) return "category";
        return suggested === "target" ? (isMostlyNumbers(counts) ? "number" : "category") : suggested;
      });
      const parts = partsWith(preview.parts, options);
      if (!options.json) {
        console.error(`${preview.header ? "the first row names the columns" : "no row names the columns"}; ${preview.decimal === "," ? "decimal commas; " : ""}${columnsText(preview.columns, roles)}`);
        console.error(roles.includes("split") ? `testing: the rows that ${names[roles.indexOf("split")]!} says` : partsText(parts, "testing: a fifth of the rows, drawn"));
      }
      const task = options.task ?? suggestedTask(column);
      return { form: "csv", title, path: preview.path, delimiter: preview.delimiter, header: preview.header, decimal: preview.decimal, roles, task, missing: options.missing ?? "refuse", parts, ...validationOf(options) };
    }
  }
}

/** `numbers: a, b; categories: color (3 different values); target: kind; ignored: name (more than 256 different values), day (dates)`. */
function columnsText(columns: readonly { readonly name: string; readonly distinct: number; readonly dates?: true | undefined }[], roles: readonly ColumnRole[]): string {
  const named = { number: "numbers", category: "categories", target: "target", split: "split", ignore: "ignored" } as const;
  const parts = columnRoles.map((role) => {
    const members = columns.filter((_, i) => roles[i] === role);
    const values = ({ distinct, dates }: (typeof columns)[number]) => (dates && role === "ignore" ? " (dates)" : role === "category" || role === "ignore" ? ` (${distinct > maxCategories ? `more than ${maxCategories}` : distinct} different values)` : "");
    return members.length === 0 ? "" : `${named[role]}: ${members.map((column) => column.name + values(column)).join(", ")}`;
  });
  return parts.filter((part) => part !== "").join("; ");
}

type Part = Extract<ImportPreview, { form: "text" }>["parts"][number];

const validationOf = ({ validation }: OrderOptions) => (validation ? { validation } : {});
const symbolsChosen = ({ symbols, minCount }: OrderOptions) => ({ ...(symbols ? { unit: symbols } : {}), ...(minCount === undefined ? {} : { minCount }) });
const imageOptions = ({ gray, size }: OrderOptions) => ({ channels: gray ? (1 as const) : (3 as const), ...(size ? { width: size[0], height: size[1] } : {}) });

/** The parts that were found, or the test file that was given instead of theirs. */
const partsWith = (found: readonly Part[], { test }: OrderOptions): Part[] => (test ? [...found.filter(({ split }) => split !== "test"), { path: test, split: "test" }] : [...found]);

const partsText = (parts: readonly Part[], otherwise: string) => (parts.some(({ split }) => split !== "train") ? parts.map(({ path, split }) => `${split}: ${path}`).join("; ") : otherwise);

function textOrder(title: string, preview: Extract<ImportPreview, { form: "text" }>, options: OrderOptions): ImportOrder {
  const parts = partsWith(preview.parts, options);
  const column = options.column ?? preview.column;
  if (!options.json && (parts.length > 0 || column !== null)) console.error([...(column === null ? [] : [`text: ${column}`]), partsText(parts, "testing: the last tenth")].join("; "));
  return { form: "text", title, path: preview.path, ...(parts.length > 0 ? { parts } : {}), ...(column === null ? {} : { column }), ...symbolsChosen(options), ...validationOf(options) };
}

type ArraysPreview = Extract<ImportPreview, { form: "arrays" }>;

const arrayRoleNames = ["features", "targets", "test-features", "test-targets"] as const;

/** Arrays by the role that `--array` gives them. */
function givenArrays(given: readonly string[]): Partial<Record<(typeof arrayRoleNames)[number], string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [role = "", name = ""] = text.split(/=(.*)/s);
      if (!(arrayRoleNames as readonly string[]).includes(role) || name === "") throw new UserError(`--array ${text}: allowed are ${arrayRoleNames.map((known) => `${known}=NAME`).join(", ")}`);
      return [role, name];
    }),
  );
}

const listed = (arrays: ArraysPreview["arrays"]) => arrays.map(({ name, shape }) => `${name} (${shape.join(" x ")})`).join(", ");

async function arraysOrder(services: Services, path: string, title: string, preview: ArraysPreview, options: OrderOptions): Promise<ImportOrder> {
  const rest = { form: "arrays" as const, title, task: options.task ?? "classification", ...(options.layout ? { layout: options.layout } : {}) };
  const given = givenArrays(options.array ?? []);
  const many = preview.arrays.length > 1;
  if (!many || options.targets) {
    if (!options.targets) throw new UserError(`${path} has only one array; give the file with the targets by --targets`);
    const features = many && given.features ? { path, array: given.features } : { path };
    const test = await testFiles(services, options);
    return { ...rest, features, targets: { path: options.targets, ...(given.targets ? { array: given.targets } : {}) }, ...(test ? { test } : {}) };
  }
  const roles = arrayRoles(preview.arrays);
  const pairOf = (found: NamedPair | null, features: string | undefined, targets: string | undefined) => {
    const pair = { features: features ?? found?.features, targets: targets ?? found?.targets };
    return pair.features !== undefined && pair.targets !== undefined ? { features: { path, array: pair.features }, targets: { path, array: pair.targets } } : null;
  };
  const train = pairOf(roles.train, given.features, given.targets);
  if (!train) throw new UserError(`${path} has the arrays ${listed(preview.arrays)}; say which are which: --array features=NAME --array targets=NAME, and test-features, test-targets for test examples of their own`);
  const test = options.test ? await testFiles(services, options) : pairOf(roles.test, given["test-features"], given["test-targets"]);
  const validation = given.features || given.targets ? null : pairOf(roles.validation, undefined, undefined);
  const pairs = [["training", train], ["validation examples, which are trained on", validation], ["testing", test]] as const;
  const used = new Set(pairs.flatMap(([, pair]) => (pair ? [pair.features.array, pair.targets.array] : [])));
  const unused = preview.arrays.filter(({ name }) => !used.has(name));
  if (!options.json) {
    const words = pairs.flatMap(([use, pair]) => (pair ? [`${use}: ${pair.features.array ?? pair.features.path}, ${pair.targets.array ?? pair.targets.path}`] : []));
    console.error([...words, ...(test ? [] : ["testing: a fifth of the examples, drawn"]), ...(unused.length > 0 ? [`left out: ${unused.map(({ name }) => name).join(", ")}`] : [])].join("; "));
  }
  return { ...rest, ...train, ...(validation ? { validation } : {}), ...(test ? { test } : {}) };
}

/** Test examples of files of their own; null where none are given. */
async function testFiles(services: Services, { test, testTargets }: OrderOptions) {
  if (!test) {
    if (testTargets) throw new UserError("--test-targets needs --test with the file of the test features");
    return null;
  }
  if (testTargets) return { features: { path: test }, targets: { path: testTargets } };
  const preview = await services.handlers["datasets.preview"]({ path: test });
  if (preview.form !== "arrays") throw new UserError(`${test} is no file of arrays`);
  const roles = arrayRoles(preview.arrays);
  const pair = roles.test ?? roles.train;
  if (!pair) throw new UserError(preview.arrays.length === 1 ? `${test} has only one array; give the file with the test targets by --test-targets` : `${test} has the arrays ${listed(preview.arrays)}; name them x and y`);
  return { features: { path: test, array: pair.features }, targets: { path: test, array: pair.targets } };
}
