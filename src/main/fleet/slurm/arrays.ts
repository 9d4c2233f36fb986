/**
 * Job arrays in the shared folder: `arrays/NAME/` has the list of their units, their script and their output, and
 * `units/UNIT/job.json` says which job is a unit's. Written before sbatch is asked, so that jobs are found again by the
 * array's name where the coordinator ended before it knew their number.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { identifier } from "../../../shared/fleet/unit.ts";
import { attempted, ensureFolder, isThere, namesIn, readJson, writeWhole } from "../folder/files.ts";
import type { UnitsFolder } from "../folder/unitsFolder.ts";

const jobFile = z.object({
  /** Empty once the job is over and the unit waits to be submitted again. */
  array: z.union([identifier, z.literal("")]),
  index: z.int().min(0),
  /** Number of the array's job; null until sbatch has said it. */
  job: z.string().max(100).nullable(),
  /** Jobs of the unit that ended for nothing. */
  failures: z.int().min(0),
  /** Why the last did. */
  reason: z.string().nullable(),
  single: z.boolean().default(false),
});
export type UnitJob = z.infer<typeof jobFile>;

const arrayFile = z.object({ throttle: z.int().nullable() });

export class Arrays {
  readonly #folder: UnitsFolder;

  constructor(folder: UnitsFolder) {
    this.#folder = folder;
  }

  folderOf(array: string): string {
    return join(this.#folder.root, "arrays", identifier.parse(array));
  }

  /** Null for a unit that was not submitted. @throws FleetError */
  async jobOf(unit: string): Promise<UnitJob | null> {
    return attempted(`The unit ${unit} cannot be looked at`, async () => (await readJson(this.#folder.paths(unit).at("job.json"), jobFile)) ?? null);
  }

  /** @throws FleetError */
  async setJob(unit: string, job: UnitJob): Promise<void> {
    await attempted(`The job of the unit ${unit} could not be noted`, async () => {
      if (await isThere(this.#folder.paths(unit).root)) await writeWhole(this.#folder.paths(unit).at("job.json"), JSON.stringify(job));
    });
  }

  /** @throws FleetError */
  async make(array: string, units: readonly string[], script: string, throttle: number | null): Promise<string> {
    const folder = this.folderOf(array);
    return attempted(`The job array could not be put into ${this.#folder.root}`, async () => {
      await ensureFolder(folder);
      await writeWhole(join(folder, "units"), `${units.join("\n")}\n`);
      await writeWhole(join(folder, "array.json"), JSON.stringify({ throttle }));
      await writeWhole(join(folder, "script.sh"), script);
      return join(folder, "script.sh");
    });
  }

  /** Jobs of an array at the same time; null for no limit. @throws FleetError */
  async throttleOf(array: string): Promise<number | null> {
    return attempted("A job array cannot be read", async () => (await readJson(join(this.folderOf(array), "array.json"), arrayFile))?.throttle ?? null);
  }

  /** The last lines of a job's output; empty where there is none. */
  async outputOf({ array, index, single }: UnitJob): Promise<string> {
    try {
      const folder = this.folderOf(array);
      const name = single ? (await namesIn(folder)).find((each) => each.endsWith(".log")) : `${index}.log`;
      return name === undefined ? "" : (await readFile(join(folder, name), "utf8")).trimEnd().split("\n").slice(-5).join("\n").slice(-2_000);
    } catch {
      return "";
    }
  }

  /** Removes arrays whose units are all gone. @throws FleetError */
  async clean(arrays: Iterable<string>): Promise<void> {
    for (const array of new Set(arrays)) {
      await attempted("A job array could not be removed", async () => {
        const units = await readFile(join(this.folderOf(array), "units"), "utf8").catch(() => "");
        for (const unit of units.split("\n")) if (unit !== "" && (await isThere(this.#folder.paths(unit).root))) return;
        await rm(this.folderOf(array), { recursive: true, force: true });
      });
    }
  }
}
