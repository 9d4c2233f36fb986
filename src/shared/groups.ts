/**
 * Groups: a level may move parts of what stands below it by settings of their own, each
 * with an optimizer and hyperparameters of its own, or leave them as they are. What a
 * level moves goes by name: `layer1.bias` on level 0, `alpha` or `alpha[bias]` above.
 */

/** A part of what a level moves, found by name. */
export interface NamedPart {
  /** Names its hyperparameters: `L0.alpha[bias]`. */
  readonly name: string;
  /** Patterns; `*` stands for anything. */
  readonly match: readonly string[];
  /** What it holds stays as it is. */
  readonly frozen: boolean;
}

/** What a level is beside its own settings, which are those of the rest: what no group holds. */
export interface Grouped<Group extends NamedPart> {
  /** Whether the rest stays as it is. */
  readonly frozen: boolean;
  readonly groups: readonly Group[];
}

/** One set of settings of a level; `group` is null for those of the rest. */
export interface Part<Settings> {
  readonly group: string | null;
  readonly settings: Settings;
}

/** The parts of a level that move what they hold, the rest first. */
export function movingParts<Level extends Grouped<NamedPart>>(of: Level): Part<Level | Level["groups"][number]>[] {
  const all: Part<Level | Level["groups"][number]>[] = [{ group: null, settings: of }, ...of.groups.map((group) => ({ group: group.name, settings: group }))];
  return all.filter(({ settings }) => !settings.frozen);
}

/** The group that holds what goes by `name`: the first that matches; undefined for the rest. */
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

/** The same, read: `alpha[bias]` is alpha of the group bias. */
export function partNamed(name: string): { readonly hyperparameter: string; readonly group: string | null } {
  const [, hyperparameter = name, group = null] = /^([^[]+)\[(.+)\]$/s.exec(name) ?? [];
  return { hyperparameter, group };
}

/** What is wrong with a group. */
export interface GroupProblem {
  readonly index: number;
  readonly message: string;
}

const listed = 12;

/**
 * Groups that hold nothing, of a level that moves what goes by `names`.
 * @param what those are, in words: "the model's parameters"
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
