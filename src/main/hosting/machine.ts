/** A machine that trains: its capacity, engine choice, calibration and trainers. */
import { availableParallelism, cpus } from "node:os";
import type { Store } from "../store/store.ts";
import { Calibration } from "./calibration.ts";
import { EngineChoice, type EngineChoiceOptions } from "./engineChoice.ts";
import { machineSignature } from "./machineSignature.ts";
import { Measurements } from "./measurements.ts";
import type { LaunchTrainer, StartTrainer } from "./process.ts";
import { TrainerPool } from "./trainerPool.ts";

export interface MachineOptions {
  readonly launch: LaunchTrainer;
  /** Folder of imported networks. */
  readonly networks?: string | undefined;
  readonly store: Pick<Store, "measurements">;
  readonly version: string;
  readonly onWorking: EngineChoiceOptions["onWorking"];
  /** Maximum number of trainers at a time; one for each core by default. */
  readonly places?: number | undefined;
  /** Options of the engine choice. */
  readonly engines?: Partial<Pick<EngineChoiceOptions, "kinds" | "within" | "fixed">> | undefined;
}

export class Machine {
  readonly processor = cpus()[0]?.model.trim() ?? process.arch;
  readonly cores = availableParallelism();
  /** Maximum number of trainers at a time, unless a study was measured to be faster with more. */
  readonly places: number;
  /** Chooses the fastest engine for a program. */
  readonly engines: EngineChoice;
  /** Measures how fast programs train, alone and concurrently. */
  readonly calibration: Calibration;
  readonly #pool: TrainerPool;

  constructor({ launch, networks, store, version, onWorking, places, engines }: MachineOptions) {
    this.places = places ?? this.cores;
    this.#pool = new TrainerPool({ launch, networks });
    const measurements = new Measurements(store, machineSignature(`${this.processor} ×${this.cores}`, version));
    this.engines = new EngineChoice({ startTrainer: this.#pool.startAlone, measurements, onWorking, ...engines });
    this.calibration = new Calibration({ startTrainer: this.#pool.start, measurements, cores: this.cores });
  }

  get startTrainer(): StartTrainer {
    return this.#pool.start;
  }

  /** Whether trainers with this total number of threads leave a core free. */
  hasFreeCore(threads: number): boolean {
    return threads < this.cores;
  }

  /** Stops measuring engines. Trainers continue until close(). */
  stopMeasuring(): void {
    this.engines.close();
  }

  /** Ends every trainer. Resolves when all have exited. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
