/** Training procedures over one state; trainingProgram.ts lists their names and effects. */
import { gradients } from "../program/gradients.ts";
import { follow, followedBuffers, tangentName } from "../hyperoptimizers/horizon.ts";
import { normalized } from "../hyperoptimizers/normalization.ts";
import { sizeOf, type Node, type Shape } from "../program/node.ts";
import { constant, state, sub } from "../program/operations/index.ts";
import type { ProcedureSpec, StateVariable } from "../program/program.ts";
import { tangents } from "../program/tangents.ts";
import { Packing } from "../hyperoptimizers/packing.ts";
import type { Loss } from "../tasks/task.ts";
import { gradientName, heldBy, lossName, TowerProgram, type LearnedHyperparameter, type TowerLevel } from "../hyperoptimizers/tower.ts";
import { firstRegisters, keptOfBatch, Lookahead, type Register } from "./lookahead.ts";
import type { ScheduledHyperparameter } from "../hyperoptimizers/scheduleFactor.ts";

export interface TrainedParameter {
  /** State variable. */
  readonly name: string;
  readonly shape: Shape;
  /** The model's name for it, used by groups; `name` by default. */
  readonly label?: string;
}

export interface TrainingProceduresOptions {
  readonly parameters: readonly TrainedParameter[];
  readonly levels: readonly TowerLevel[];
  /**
   * `moving`: only for hyperparameters that a level above moves. `all`: the top level's too, which
   * nothing moves; for a plain optimizer this costs extra work.
   */
  readonly hypergradients: "moving" | "all";
}

/** The loss at parameter nodes, in the given order. */
export type LossOf = (parameters: readonly Node[]) => Loss;

const settled = (name: string) => `settled.${name}`;

export class TrainingProcedures {
  /** Learned hyperparameters; begin, step and settle output their stored values by `name`. */
  readonly hyperparameters: readonly LearnedHyperparameter[];
  /** Hyperparameters whose `hypergradient` begin and step output. */
  readonly withHypergradient: readonly LearnedHyperparameter[];
  /** Hyperparameters that follow a schedule; begin, step and settle output their values in force by `name`. */
  readonly scheduled: readonly ScheduledHyperparameter[];
  readonly #packing: Packing;
  readonly #tower: TowerProgram;
  /** Shapes of the tangents that a horizon keeps. */
  readonly #tangents = new Map<string, Shape>();
  readonly #registers = new Map<string, Register>();

  constructor({ parameters, levels, hypergradients }: TrainingProceduresOptions) {
    this.#packing = new Packing(parameters.map(({ name, shape, label = name }) => ({ name, shape, ...heldBy(levels[0]!, label) })));
    this.#tower = new TowerProgram(levels, this.#packing.packs);
    this.hyperparameters = this.#tower.learned;
    this.scheduled = this.#tower.scheduled;
    this.withHypergradient = this.#tower.learned.filter(
      ({ level, moved }) => moved || (hypergradients === "all" && level === levels.length - 1),
    );
    if (this.#seesFurther) this.#declareTangents(this.#followed(this.#tower.update().ofBottom));
  }

  /** Loss and weight gradients at the initial weights; no update is pending yet. */
  begin(lossOf: LossOf): ProcedureSpec {
    const weights = this.#packing.packs.map(({ name, shape }) => state(name, shape));
    const { loss, buffers } = lossOf(this.#packing.unpack(weights));
    const stored = this.hyperparameters.map(({ name }) => state(name, []));
    return {
      outputs: this.#outputs(loss, stored, this.withHypergradient.map(() => constant(0))),
      updates: {
        ...buffers,
        ...this.#weightGradients(gradients(loss, weights)),
        ...this.#keptLoss(loss),
        ...(this.#looksAhead ? firstRegisters({ loss, ...(buffers && { buffers }) }) : {}),
      },
      transient: true,
    };
  }

  /**
   * Applies the pending update, then computes loss, weight gradients and hypergradients at the new
   * weights.
   */
  step(lossOf: LossOf): ProcedureSpec {
    const { weights, hyperparameters, updates, ofBottom } = this.#tower.update();
    const { loss, buffers } = lossOf(this.#packing.unpack(weights));
    const live = this.withHypergradient.map((h) => hyperparameters[this.hyperparameters.indexOf(h)]!);
    const all = gradients(loss, [...weights, ...live]);
    const next = { ...buffers, ...updates, ...this.#weightGradients(all), ...this.#keptLoss(loss) };
    const followed = this.#seesFurther ? [...this.#followed(ofBottom), ...followedBuffers(loss, buffers)] : [];
    this.#declareTangents(followed);
    const views = this.withHypergradient.map((h, i) => (h.horizon > 0 ? follow(h, live[i]!, loss, followed.map(({ name }) => [name, next[name]!])) : null));
    const lookahead = this.#lookahead(ofBottom, hyperparameters, lossOf);
    const ahead = lookahead?.hypergradients(all.slice(0, weights.length));
    const exact = this.withHypergradient.map((h, i) => views[i]?.hypergradient ?? (h.lookahead > 1 ? ahead?.[h.name] : undefined) ?? all[weights.length + i]!);
    const normalizedOf = this.#normalizer(all, [...weights, ...live], lookahead);
    const hypergradients = this.withHypergradient.map((h, i) => (h.normalized ? normalizedOf(h, exact[i]!, views[i]?.updates) : exact[i]!));
    const registers = lookahead?.shifted(keptOfBatch({ loss, ...(buffers && { buffers }) })) ?? {};
    if (lookahead) for (const [name, register] of Object.entries(lookahead.registers(registers))) this.#registers.set(name, register);
    return {
      outputs: this.#outputs(loss, hyperparameters, hypergradients),
      updates: {
        ...next,
        ...registers,
        ...Object.fromEntries(views.flatMap((view) => Object.entries(view?.updates ?? {}))),
        ...Object.fromEntries(this.withHypergradient.map(({ hypergradient }, i) => [hypergradient, hypergradients[i]!])),
      },
    };
  }

  /**
   * Copies what is evaluated after the pending update to the settled weights: the weights, or their
   * averages where the optimizer keeps some. Training state is unchanged.
   */
  settle(): ProcedureSpec {
    const { evaluated, hyperparameters } = this.#tower.update();
    return {
      outputs: this.#hyperparameterOutputs(hyperparameters),
      updates: Object.fromEntries(this.#packing.packs.map(({ name }, i) => [settled(name), evaluated[i]!])),
    };
  }

  /** Settled parameters as nodes. */
  settledParameters(): Node[] {
    return this.#packing.unpack(this.#packing.packs.map(({ name, shape }) => state(settled(name), shape)));
  }

  /** State that the procedures share although `settle` does not read it. */
  get furtherState(): readonly StateVariable[] {
    const tangents = [...this.#tangents].map(([name, shape]) => ({ name, shape }));
    return [...this.withHypergradient.map(({ hypergradient }) => ({ name: hypergradient, shape: [] })), ...this.frozenState, ...tangents];
  }

  /** Frozen parameters. */
  get frozenState(): readonly StateVariable[] {
    return this.#packing.frozen.map(({ name, shape }) => ({ name, shape }));
  }

  /**
   * Values of all state before `begin`, including the settled weights; may exceed what a program
   * declares.
   */
  initialState(parameters: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    const packs = this.#packing.packValues(parameters);
    const values: Record<string, Float64Array> = { ...this.#tower.initialState(packs), ...packs, ...this.settledState(packs) };
    for (const { name } of this.#packing.packs) values[gradientName(name)] = new Float64Array(packs[name]!.length);
    for (const [name, shape] of this.#tangents) values[name] = new Float64Array(sizeOf(shape));
    for (const [name, { shape, from }] of this.#registers) values[name] = values[from]?.slice() ?? new Float64Array(sizeOf(shape));
    return values;
  }

  /** Settled weights, copied from the weights in `state`. */
  settledState(state: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    return Object.fromEntries(this.#packing.packs.map(({ name }) => [settled(name), state[name]!]));
  }

  /** State variables of the settled weights: copies, which can be recomputed. */
  get settledNames(): readonly string[] {
    return this.#packing.packs.map(({ name }) => settled(name));
  }

  /** State that parametersOf() reads. */
  get parameterNames(): readonly string[] {
    return [...this.settledNames, ...this.#packing.frozen.map(({ name }) => name)];
  }

  /** Parameter values by name, from a state that was just settled. */
  parametersOf(state: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
    return this.#packing.unpackValues(this.parameterNames.map((name) => state[name]!));
  }

  #outputs(loss: Node, stored: readonly Node[], hypergradients: readonly Node[]): Record<string, Node> {
    return {
      loss,
      ...this.#hyperparameterOutputs(stored),
      ...Object.fromEntries(this.withHypergradient.map(({ hypergradient }, i) => [hypergradient, hypergradients[i]!])),
    };
  }

  #hyperparameterOutputs(stored: readonly Node[]): Record<string, Node> {
    const inForce = this.#tower.inForce(stored);
    return {
      ...Object.fromEntries(this.hyperparameters.map(({ name }, i) => [name, stored[i]!])),
      ...Object.fromEntries(this.scheduled.map(({ name }, i) => [name, inForce[i]!])),
    };
  }

  get #looksAhead(): boolean {
    return this.withHypergradient.some(({ lookahead }) => lookahead > 1);
  }

  /** Level 0's hyperparameters all look ahead by the same number of steps. */
  #lookahead(ofBottom: Readonly<Record<string, Node>>, hyperparameters: readonly Node[], lossOf: LossOf): Lookahead | null {
    if (!this.#looksAhead) return null;
    return new Lookahead({
      steps: Math.max(...this.withHypergradient.map(({ lookahead }) => lookahead)),
      weights: this.#packing.packs,
      update: ofBottom,
      hyperparameters: Object.fromEntries(this.hyperparameters.flatMap(({ name, level }, i) => (level === 0 ? [[name, hyperparameters[i]!]] : []))),
      lossAt: (weights) => lossOf(this.#packing.unpack(weights)),
    });
  }

  get #seesFurther(): boolean {
    return this.withHypergradient.some(({ horizon }) => horizon > 0);
  }

  /** State through which level 0's hyperparameters act on later losses, apart from buffers. */
  #followed(ofBottom: Readonly<Record<string, Node>>): StateVariable[] {
    return [
      ...Object.entries(ofBottom).map(([name, { shape }]) => ({ name, shape })),
      ...this.#packing.packs.map(({ name, shape }) => ({ name: gradientName(name), shape })),
      ...(this.#tower.usesLoss ? [{ name: lossName, shape: [] }] : []),
    ];
  }

  /** Has the tangents kept, along every hyperparameter with a horizon. */
  #declareTangents(followed: readonly StateVariable[]): void {
    for (const { name, horizon } of this.withHypergradient) {
      if (horizon > 0) for (const variable of followed) this.#tangents.set(tangentName(name, variable.name), variable.shape);
    }
  }

  /**
   * Normalizes a hypergradient.
   * @param adjoints d loss / d each of `moved`: weights, then hyperparameters
   */
  #normalizer(adjoints: readonly Node[], moved: readonly Node[], lookahead: Lookahead | null) {
    const ofWeights = this.#packing.packs.map(({ name }) => name);
    // The hypergradient is linear in the weights' adjoints: its slope by them is the derivative of the weights.
    const cotangents = this.#packing.packs.map(({ name, shape }) => state(`cotangent.${name}`, shape));
    const ahead = this.withHypergradient.some(({ normalized }) => normalized) ? (lookahead?.hypergradients(cotangents) ?? {}) : {};
    const names = [...this.#packing.packs, ...this.withHypergradient].map(({ name }) => name);
    return (h: LearnedHyperparameter, value: Node, alongHorizon?: Readonly<Record<string, Node>>): Node => {
      const own = moved[names.indexOf(h.name)]!;
      const seesFurther = h.horizon > 0 || h.lookahead > 1;
      const below = seesFurther ? ofWeights : this.#tower.movedWith(h);
      const along = alongHorizon
        ? below.map((name) => alongHorizon[tangentName(h.name, name)]!)
        : h.lookahead > 1
          ? gradients(ahead[h.name]!, cotangents)
          : tangents(below.map((name) => moved[names.indexOf(name)]!), (node) => (node === own ? constant(1) : null));
      const arrays = below.flatMap((name, i) => {
        const [at, derivative] = [names.indexOf(name), along[i]];
        return derivative ? [{ gradient: adjoints[at]!, derivative, move: sub(moved[at]!, state(name, moved[at]!.shape)) }] : [];
      });
      return normalized(value, arrays, h.storedAs === "tanh");
    };
  }

  /** The loss, where a rule of the next update asks for it. */
  #keptLoss(loss: Node): Record<string, Node> {
    return this.#tower.usesLoss ? { [lossName]: loss } : {};
  }

  #weightGradients(nodes: readonly Node[]): Record<string, Node> {
    return Object.fromEntries(this.#packing.packs.map(({ name }, i) => [gradientName(name), nodes[i]!]));
  }
}
