/** Named stacks of a study: towers, seeds, reruns and validation. */
import type { FieldError } from "../experiment.ts";
import { height, notation, type Level } from "../tower.ts";
import type { Stack, Study } from "./study.ts";

type Stacks = readonly Stack[];

/** The stack whose learned values a rerun starts from; undefined for a stack with a tower. */
export function rerunSource(stacks: Stacks, { rerunOf }: Stack): Stack | undefined {
  return rerunOf === null ? undefined : stacks.find(({ name }) => name === rerunOf);
}

/** Levels that a stack trains with; a rerun's single level has the initial values of its source. */
export function levelsOf(stacks: Stacks, stack: Stack): readonly Level[] {
  return stack.tower ?? rerunSource(stacks, stack)?.tower?.slice(0, 1) ?? [];
}

export function epochsOf({ base, stacks }: Pick<Study, "base" | "stacks">, stack: Stack): number {
  return (rerunSource(stacks ?? [], stack) ?? stack).epochs ?? base.budget.epochs;
}

export function seedsOf({ seeds, stacks }: Pick<Study, "seeds" | "stacks">, stack: Stack): readonly number[] {
  return (rerunSource(stacks ?? [], stack) ?? stack).seeds ?? seeds;
}

/** `SGD / Adam(0.1)`, or `rerun of SGD / Adam` for a rerun. */
export function stackWords({ tower, rerunOf }: Pick<Stack, "tower" | "rerunOf">): string {
  return tower ? notation(tower) : `plain at what ${rerunOf ?? ""} learned`;
}

/** Errors of stacks that contradict each other or themselves. */
export function stackErrors({ halving, stacks }: Study): FieldError[] {
  if (!stacks) return [];
  const names = stacks.map(({ name }) => name);
  return stacks.flatMap((stack, i) => {
    const { name, tower, rerunOf, epochs, seeds, against } = stack;
    const errors: FieldError[] = [];
    const refuse = (field: string, message: string) => errors.push({ path: `stacks.${i}${field}`, message });
    if (names.indexOf(name) < i) refuse(".name", `there are two stacks named ${name}`);
    if (seeds && new Set(seeds).size < seeds.length) refuse(".seeds", `seed ${seeds.find((seed, at) => seeds.indexOf(seed) < at)!} is there twice`);
    if (against === name) refuse(".against", `${name} is compared with itself; name another stack`);
    else if (against !== null && !names.includes(against)) refuse(".against", `there is no stack named ${against}; the study has: ${names.join(", ")}`);
    if (rerunOf === null) {
      if (!tower) refuse(".tower", "a stack needs a tower, or rerunOf with the name of the stack whose learned values it starts from");
      return errors;
    }
    const source = rerunSource(stacks, stack);
    if (tower) refuse(".rerunOf", "a rerun has no tower of its own; leave out tower or rerunOf");
    if (!source) refuse(".rerunOf", `there is no stack named ${rerunOf}; the study has: ${names.join(", ")}`);
    else if (source.rerunOf !== null) refuse(".rerunOf", `${rerunOf} is a rerun itself; name a stack with a tower`);
    else if (source.tower && height(source.tower) === 0) refuse(".rerunOf", `${rerunOf} has a single level, which learns nothing; name a stack with levels above it`);
    if (epochs !== null) refuse(".epochs", "a rerun trains as long as the run it follows; leave out epochs");
    if (seeds !== null) refuse(".seeds", "a rerun has the seeds of the stack it reruns; leave out seeds");
    if (halving) refuse(".rerunOf", "successive halving stops runs early, and a rerun needs what they learned at their end; leave out halving or rerunOf");
    return errors;
  });
}
