/**
 * The divergence guard watches losses and hyperparameters, keeps snapshots of good states, and on
 * divergence chooses the snapshot to restore and the step size to reduce. It is deterministic.
 */
import type { GuardOptions } from "../../shared/guard.ts";
import { formatHyperparameter } from "../../shared/tower.ts";
import type { GuardMemory, Snapshot } from "../checkpoint/guardMemory.ts";
import type { StateValues } from "../engines/engine.ts";
import { toEffective, toStored } from "../hyperoptimizers/stored.ts";
import type { LearnedHyperparameter } from "../hyperoptimizers/tower.ts";

/** Where training continues. */
export interface Rollback {
  readonly snapshot: Snapshot;
  /** What happened and what the guard did. */
  readonly message: string;
}

/** A loss below this share of the first loss never counts as an explosion. */
const harmless = 0.01;

/** Smallest change that can cause trouble: log of the factor, or the difference as stored. */
const noticeable = Math.log(1.1);

export class Guard {
  readonly #options: GuardOptions;
  readonly #hyperparameters: readonly LearnedHyperparameter[];
  #memory: GuardMemory;

  /** @param hyperparameters in the order of the values passed to observe() */
  constructor(options: GuardOptions, hyperparameters: readonly LearnedHyperparameter[], memory?: GuardMemory) {
    this.#options = options;
    this.#hyperparameters = hyperparameters;
    this.#memory = memory ?? { rollbacks: 0, first: null, losses: [], since: null, values: null, snapshots: [] };
  }

  get memory(): GuardMemory {
    return this.#memory;
  }

  /** Whether to take a snapshot before `step`; never during a streak of bad losses. */
  wants(step: number): boolean {
    const { since, snapshots } = this.#memory;
    const last = snapshots.at(-1);
    return since === null && (!last || step - last.step >= this.#options.every);
  }

  keep(step: number, begun: boolean, state: StateValues): void {
    this.#change({ snapshots: [...this.#memory.snapshots.slice(-1), { step, begun, state, used: false }] });
  }

  /** The problem after a step, or null. */
  observe(step: number, loss: number, values: readonly number[]): string | null {
    const { factor, patience, window } = this.#options;
    const wild = values.findIndex((value) => !Number.isFinite(value));
    if (wild >= 0) return `${this.#hyperparameters[wild]!.name} became ${values[wild]!} at step ${step}`;
    this.#change({ values });
    if (!Number.isFinite(loss)) return `the loss became ${loss} at step ${step}`;
    const { losses, since, first: initial } = this.#memory;
    if (initial === null) this.#change({ first: loss });
    const usual = median(losses.map(([, one]) => one));
    if (usual === null || loss <= factor * usual || loss <= harmless * (initial ?? loss)) {
      this.#change({ since: null, losses: [...losses, [step, loss] as const].slice(-window) });
      return null;
    }
    const first = since ?? step;
    this.#change({ since: first });
    if (step - first + 1 < patience) return null;
    return `from step ${first} to ${step} the loss was above ${factor} times its median of ${formatHyperparameter(usual)}`;
  }

  /**
   * Rolls back and reduces a step size.
   * @param step step at which the problem appeared
   * @returns undefined when the rollbacks are used up or there is no snapshot
   */
  rollBack(step: number, problem: string): Rollback | undefined {
    const { rollbacks, first, since, values, losses } = this.#memory;
    const most = this.#options.rollbacks;
    const [chosen, ...older] = this.#candidates(since ?? step);
    if (!chosen || rollbacks >= most) return undefined;
    const { state, what } = this.#shrunk(chosen.state, values);
    const snapshot: Snapshot = { ...chosen, state, used: true };
    this.#memory = {
      rollbacks: rollbacks + 1,
      first,
      losses: losses.filter(([at]) => at < chosen.step),
      since: null,
      values: null,
      snapshots: [...older, snapshot],
    };
    return { snapshot, message: `${problem}; restored the state before step ${chosen.step}; ${what} (${rollbacks + 1} of at most ${most})` };
  }

  /**
   * Snapshots to restore, best first: the latest that is not too close to the trouble and has not
   * led there before.
   */
  #candidates(trouble: number): readonly Snapshot[] {
    const { snapshots } = this.#memory;
    const [older, newer] = snapshots;
    if (!older || !newer) return snapshots;
    const doubtful = newer.used || trouble - newer.step < this.#options.every / 2;
    return doubtful ? [older] : [newer, older];
  }

  /** The state with the responsible step size reduced, and a description. */
  #shrunk(state: StateValues, now: readonly number[] | null): { readonly state: StateValues; readonly what: string } {
    const { why, names } = this.#blamed(state, now);
    const changes = names.map((name) => {
      const { storedAs, spec, options } = this.#hyperparameters.find((h) => h.name === name)!;
      const before = toEffective(state[name]![0]!, storedAs);
      const least = options.bounds[spec.name]?.[0] ?? -Infinity;
      return { name, storedAs, before, after: Math.max(least, before * this.#options.shrink) };
    });
    const said = changes.map(({ name, before, after }) => `${name} goes from ${formatHyperparameter(before)} to ${formatHyperparameter(after)}`);
    return {
      state: { ...state, ...Object.fromEntries(changes.map(({ name, storedAs, after }) => [name, Float64Array.of(toStored(after, storedAs))])) },
      what: said.length === 0 ? `${why}, and no step size can be reduced` : `${why}, so ${said.join(", ")}`,
    };
  }

  /**
   * The responsible step sizes, by name: those that moved the hyperparameter that changed most
   * since the
   * snapshot, or level 0's own where none changed noticeably.
   */
  #blamed(state: StateValues, now: readonly number[] | null): { readonly why: string; readonly names: readonly string[] } {
    const moves = this.#hyperparameters.flatMap((h, i) => (h.moved && now ? [{ h, before: toEffective(state[h.name]![0]!, h.storedAs), after: now[i]! }] : []));
    const furthest = moves.map((move) => ({ ...move, by: distance(move.h, move.before, move.after) })).sort((a, b) => b.by - a.by)[0];
    const levelZero = this.#hyperparameters.filter(({ level, spec }) => level === 0 && spec.name === "alpha").map(({ name }) => name);
    if (!furthest || !(furthest.by > noticeable)) return { why: "no hyperparameter had changed much", names: levelZero };
    const { h, before, after } = furthest;
    const why = `${h.name} had changed most (${formatHyperparameter(before)} to ${formatHyperparameter(after)})`;
    if (h.mover !== null) return { why, names: [h.mover] };
    return { why, names: h.spec.name === "alpha" ? [h.name] : levelZero };
  }

  #change(changes: Partial<GuardMemory>): void {
    this.#memory = { ...this.#memory, ...changes };
  }
}

/**
 * How far a hyperparameter moved: log of the factor, or the stored difference for one without a
 * scale.
 */
function distance({ spec, storedAs }: LearnedHyperparameter, before: number, after: number): number {
  if (spec.scale === "log") return before === after ? 0 : before * after > 0 ? Math.abs(Math.log(after / before)) : Infinity;
  return Math.abs(toStored(after, storedAs) - toStored(before, storedAs));
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
