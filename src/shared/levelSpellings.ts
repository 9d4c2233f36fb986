/**
 * Expands the input forms of a level: `adamBaydin` is Adam that learns alpha alone, `sgdPerParam`
 * SGD
 * with a group per parameter, `freeze` a frozen first group; a group inherits missing fields.
 */
import { mechanicFields } from "./optimizers/mechanic.ts";
import { findForm, optimizerSpec, type OptimizerName } from "./optimizers.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Collects errors of the input form; the schema finds the rest. */
interface Issues {
  addIssue(issue: { code: "custom"; path: (string | number)[]; message: string; input: unknown }): void;
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that a group does not inherit. */
const ofLevelAlone = ["groups", "frozen", "clipNorm", "lookahead"];

export function expandLevel(input: unknown, issues: Issues): unknown {
  if (!isFields(input)) return input;
  const { freeze, ...written } = expandPerParameter(input, issues);
  const level = withMechanic(expandForm(written), [], issues);
  const frozen = freeze === undefined ? [] : [{ name: "frozen", match: freeze, frozen: true }];
  const groups: unknown = level["groups"] ?? [];
  if (!Array.isArray(groups) || (groups.length === 0 && frozen.length === 0)) return level;
  return { ...level, groups: [...frozen, ...(groups as unknown[])].map((group, i) => (isFields(group) ? withMechanic(expandGroup(level, group), ["groups", i - frozen.length], issues) : group)) };
}

/** Refuses Mechanic by name where the optimizer does not have it. */
function withMechanic(settings: Fields, path: readonly (string | number)[], issues: Issues): Fields {
  const form = typeof settings["optimizer"] === "string" ? findForm(settings["optimizer"]) : undefined;
  const why = form && optimizerSpec(form.optimizer).withoutMechanic;
  const given = why === undefined ? [] : Object.keys(settings).filter((field) => mechanicFields.includes(field));
  for (const field of given) {
    const message = `${field} is not for ${form!.label}, which ${why!}; allowed: optimizers whose step size Mechanic can tune, such as sgd or adam`;
    issues.addIssue({ code: "custom", path: [...path, field], message, input: settings[field] });
  }
  return given.length === 0 ? settings : Object.fromEntries(Object.entries(settings).filter(([field]) => !given.includes(field)));
}

function expandForm(settings: Fields): Fields {
  const form = typeof settings["optimizer"] === "string" ? findForm(settings["optimizer"]) : undefined;
  if (!form || form.name === form.optimizer || form.perParameter) return settings;
  return { learned: form.learned, ...settings, optimizer: form.optimizer };
}

function expandGroup(level: Fields, written: Fields): Fields {
  const group: Fields = expandForm(typeof written["match"] === "string" ? { ...written, match: [written["match"]] } : written);
  const same = group["optimizer"] === undefined || group["optimizer"] === level["optimizer"];
  if (!same) return group;
  return { ...Object.fromEntries(Object.entries(level).filter(([field]) => !ofLevelAlone.includes(field))), ...group };
}

/** Expands the authors' `alphas` to one group per name, with the rest frozen. */
function expandPerParameter(input: Fields, issues: Issues): Fields {
  if (input["optimizer"] !== "sgdPerParam") return input;
  const { alphas, groups, frozen: _, ...rest } = input;
  const entries: unknown[] = Array.isArray(alphas) ? alphas : isFields(alphas) ? Object.entries(alphas) : [];
  const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message, input: input[path] });
  if (entries.length === 0 || !entries.every((entry) => Array.isArray(entry) && entry.length === 2)) {
    refuse("alphas", 'SGDPerParam needs alphas: a step size for each name, such as { "layer1.weight": 0.1 }');
  }
  if (Array.isArray(groups) && groups.length > 0) refuse("groups", "SGDPerParam has alphas in place of groups");
  return {
    learned: ["alpha"],
    ...rest,
    optimizer: "sgd" satisfies OptimizerName,
    frozen: true,
    groups: entries.filter(Array.isArray).map(([name, alpha]) => ({ name: name as unknown, match: name as unknown, alpha: alpha as unknown })),
  };
}
