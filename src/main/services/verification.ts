/** Checks runs before they leave the store, and for a window that asks. */
import { dirname } from "node:path";
import type { RequestOutput } from "../../shared/contract.ts";
import { damageText, isDamaged, type Finding } from "../../shared/verification.ts";
import { verifyStore } from "../hosting/verify.ts";
import { UserError } from "./services.ts";

/** Milliseconds for which a sound run counts as sound. */
const soundFor = 60_000;

type Checked = RequestOutput<"runs.verify">;

export class Verification {
  readonly #folder: string;
  readonly #sound = new Map<string, number>();

  /** @param storeFile path of the store's database */
  constructor(storeFile: string) {
    this.#folder = dirname(storeFile);
  }

  /** Checks a run with its checkpoint and weights. */
  async verify(run: string): Promise<Checked> {
    const { runs, findings } = await verifyStore(this.#folder, { runs: [run] });
    const [checked = { run, name: run, values: 0, protectedSince: null, protectedFromStart: false }] = runs;
    return { ...checked, findings: [...findings] };
  }

  /** Damage of what an export of these runs shows: not of their checkpoints, weights and the summaries that only charts use. */
  async damage(runs: readonly string[]): Promise<Finding[]> {
    const now = Date.now();
    const due = runs.filter((run) => now - (this.#sound.get(run) ?? 0) > soundFor);
    if (due.length === 0) return [];
    const { findings } = await verifyStore(this.#folder, { runs: due });
    const damage = findings.filter(({ part, severity }) => severity === "damage" && part !== "checkpoint" && part !== "weights" && part !== "pyramid");
    for (const run of due) if (!damage.some((finding) => finding.run === run || finding.run === null)) this.#sound.set(run, now);
    return damage;
  }

  /** @param choice how a person exports a damaged run all the same @throws UserError naming the damage */
  async requireSound(runs: readonly string[], choice: string): Promise<void> {
    const damage = await this.damage(runs);
    if (!isDamaged(damage)) return;
    const damaged = [...new Set(damage.flatMap(({ run }) => run ?? []))];
    throw new UserError(`Nothing was exported: ${damaged.length === 1 ? `run ${damaged[0]!} is` : `${damaged.length} runs are`} damaged. ${damageText(damage)} ${damage[0]!.advice}. ${choice}`);
  }
}
