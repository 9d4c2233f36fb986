/**
 * Groups: parts of what a level moves with their own optimizer and hyperparameters, or frozen.
 * Parts are found by name: `layer1.bias` on level 0, `alpha` or `alpha[bias]` above.
 */

/** A named part of what a level moves. */
export interface NamedPart {
  /** Appears in its hyperparameters' names: `L0.alpha[bias]`. */
  readonly name: string;
  /** Patterns; `*` matches anything. */
  readonly match: readonly string[];
  /** Whether its members are not moved. */
  readonly frozen: boolean;
}

/** Groups of a level, beside its own settings for the rest. */
export interface Grouped<Group extends NamedPart> {
  /** Whether the rest is not moved. */
  readonly frozen: boolean;
  readonly groups: readonly Group[];
}

/** Settings of a part; `group` is null for the rest. */
export interface Part<Settings> {
  readonly group: string | null;
  readonly settings: Settings;
}

/** The parts that are not frozen, the rest first. */
export function movingParts<Level extends Grouped<NamedPart>>(of: Level): Part<Level | Level["groups"][number]>[] {
  const all: Part<Level | Level["groups"][number]>[] = [{ group: null, settings: of }, ...of.groups.map((group) => ({ group: group.name, settings: group }))];
  return all.filter(({ settings }) => !settings.frozen);
}

/** The first group that matches `name`; undefined for the rest. */
export function groupOf<Group extends NamedPart>(groups: readonly Group[], name: string): Group | undefined {
  return groups.find(({ match }) => match.some((pattern) => matches(pattern, name)));
}

export function matches(pattern: string, name: string): boolean {
  const literals = pattern.split("*").map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`, "s").test(name);
}

/** A hyperparameter's name within its level: `alpha`, or `alpha[bias]` for that of a group. */
export function nameInLevel(hyperparameter: string, group: string | null): string {
  return group === null ? hyperparameter : `${hyperparameter}[${group}]`;
}

/** Parses such a name: `alpha[bias]` is alpha of the group bias. */
export function partNamed(name: string): { readonly hyperparameter: string; readonly group: string | null } {
  const [, hyperparameter = name, group = null] = /^([^[]+)\[(.+)\]$/s.exec(name) ?? [];
  return { hyperparameter, group };
}

/** An error in a group. */
export interface GroupProblem {
  readonly index: number;
  readonly message: string;
}

const listed = 12;

/**
 * Groups that match none of `names`.
 * @param what description of the names: "the model's parameters"
 */
export function groupProblems(groups: readonly NamedPart[], names: readonly string[], what: string): GroupProblem[] {
  return groups.flatMap(({ name, match }, index) => {
    const idle = match.find((pattern) => !names.some((one) => matches(pattern, one)));
    if (idle !== undefined) {
      const more = names.length > listed ? `, … (${names.length} in all)` : "";
      const known = names.length === 0 ? `there are none` : `they are ${names.slice(0, listed).join(", ")}${more}`;
      return [{ index, message: `group ${name}: ${idle} matches none of ${what}; ${known}` }];
    }
    const holds = match.length === 0 || names.some((one) => groupOf(groups, one) === groups[index]);
    return holds ? [] : [{ index, message: `group ${name} holds nothing: the groups before it have all that it matches` }];
  });
}
