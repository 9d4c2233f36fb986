/** The commands below `fleet`. */
import type { Command } from "commander";
import type { FleetOptions, UnitsOptions } from "../commands/fleet.ts";
import { finish } from "../finish.ts";
import { jsonLinesOption, oneJsonOption, storeOption } from "../options.ts";
import type { ProgramFiles } from "../session.ts";

const commands = () => import("../commands/fleet.ts");
const unitsArgument = "ids of units, or their beginnings";

export function addFleetCommands(program: Command, programFiles: ProgramFiles): void {
  const fleet = program.command("fleet").description("Show where studies train beside this machine, and steer units of work and workers.");
  fleet
    .command("list", { isDefault: true })
    .description("List the fleets that are set up or have units: workers, units by state, and why one cannot be used.")
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((options: FleetOptions) => finish(commands().then(({ listFleets }) => listFleets(programFiles, options)), options.json));
  fleet
    .command("units")
    .description("List units of work that are at fleets, with the reasons of those that wait or failed.")
    .option("--fleet <name>", "only those of one fleet")
    .option("--failed", "only failed ones")
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((options: UnitsOptions) => finish(commands().then(({ listUnits }) => listUnits(programFiles, options)), options.json));
  fleet
    .command("workers")
    .description("List workers: machine, engines, load, last sign of life, units.")
    .option("--fleet <name>", "only those of one fleet")
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((options: UnitsOptions) => finish(commands().then(({ listWorkers }) => listWorkers(programFiles, options)), options.json));
  fleet
    .command("retry")
    .description("Train what failed units lack again, in new ones. Ends once they are handed over.")
    .argument("<unit...>", unitsArgument)
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((units: string[], options: FleetOptions) => finish(commands().then(({ retryUnits }) => retryUnits(programFiles, units, options)), options.json));
  fleet
    .command("cancel")
    .description("End units: their runs are stopped, and go on when their study is resumed. Failed ones are forgotten.")
    .argument("<unit...>", unitsArgument)
    .option("-y, --yes", "do not ask")
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((units: string[], options: FleetOptions) => finish(commands().then(({ cancelUnits }) => cancelUnits(programFiles, units, options)), options.json));
  fleet
    .command("drain")
    .description("Let a worker take no further unit, or with --undo again.")
    .argument("<fleet>", "name of the fleet, as in --on")
    .argument("<worker>", "id of the worker, or its beginning")
    .option("--undo", "let it take units again")
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((name: string, worker: string, options: FleetOptions & { readonly undo?: boolean }) => finish(commands().then(({ drainWorker }) => drainWorker(programFiles, name, worker, options)), options.json));
}
