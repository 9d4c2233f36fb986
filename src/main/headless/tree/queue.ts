/** The commands `queue init` and `queue status`. */
import type { Command } from "commander";
import type { QueueInitOptions, QueueStatusOptions } from "../commands/queue.ts";
import { finish } from "../finish.ts";
import { oneJsonOption } from "../options.ts";

const commands = () => import("../commands/queue.ts");
const urlArgument = "postgres://USER:PASSWORD@HOST/DATABASE (default: $HYPERTOWER_QUEUE)";

export function addQueueCommands(program: Command): void {
  const queue = program.command("queue").description("Make and watch a queue in PostgreSQL, from which workers on any machine take units of studies.");
  queue
    .command("init")
    .description("Make the queue's tables and its two roles, for coordinator and workers, or update them.")
    .argument("[url]", `of an administrator: ${urlArgument}`)
    .option("--new-passwords", "give both roles new passwords")
    .option(...oneJsonOption)
    .action((url: string | undefined, options: QueueInitOptions) => finish(commands().then(({ queueInit }) => queueInit(url, options)), options.json));
  queue
    .command("status")
    .description("Show units that wait, run or failed, with reasons, and the workers.")
    .argument("[url]", `of the coordinator: ${urlArgument}`)
    .option(...oneJsonOption)
    .action((url: string | undefined, options: QueueStatusOptions) => finish(commands().then(({ showQueueStatus }) => showQueueStatus(url, options)), options.json));
}
