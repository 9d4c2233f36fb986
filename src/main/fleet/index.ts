/** Opens fleets by name. Each kind is one line of `openers`. */
import type { LaunchTrainer } from "../hosting/process.ts";
import { FleetError, type Fleet } from "./fleet.ts";
import { parseFleetName, type FleetName } from "./name.ts";

/** What the host offers to its fleets. */
export interface FleetContext {
  /** Folder of the store: fleets keep their profiles, and what they must remember, in folders of their own in it. */
  readonly storeFolder: string;
  /** Version of Hypertower. */
  readonly version: string;
  /** Says in the diagnostic log what a person may want to know. */
  readonly warn: (message: string) => void;
  /** Starts trainers of this machine, for fleets that have workers here. */
  readonly launch?: LaunchTrainer;
}

type Kind = Exclude<FleetName["kind"], "local">;
type Opener<K extends Kind> = (name: Extract<FleetName, { kind: K }>, context: FleetContext) => Promise<Fleet>;

const openers: { readonly [K in Kind]: Opener<K> } = {
  slurm: async ({ profile: profileName }) => {
    const [{ SlurmFleet }, { findProfile }] = await Promise.all([import("./slurm/slurmFleet.ts"), import("./slurm/profiles.ts")]);
    return SlurmFleet.open({ profileName, profile: findProfile(profileName) });
  },
  folder: async ({ folder }) => (await import("./folder/folderFleet.ts")).FolderFleet.open(folder),
  queue: async ({ url }, context) => (await import("./queue/open.ts")).openQueue(url, context),
};

/** @throws FleetError when the name is of no kind, or its fleet cannot be used */
export async function openFleet(text: string, context: FleetContext): Promise<Fleet> {
  const name = parseFleetName(text);
  if (name.kind === "slurm") return openers.slurm(name, context);
  if (name.kind === "folder") return openers.folder(name, context);
  if (name.kind === "queue") return openers.queue(name, context);
  throw new FleetError("This machine is not a fleet that has to be opened: its runs are trained by the host itself.", { retry: false });
}
