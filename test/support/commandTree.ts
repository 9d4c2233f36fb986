/** The command line as a plain tree of commands and options. */
import type { Command } from "commander";
import { addHelp } from "../../src/main/headless/help.ts";
import { program } from "../../src/main/headless/index.ts";

export interface CommandNode {
  readonly name: string;
  readonly options: readonly { readonly flags: readonly string[]; readonly choices: readonly string[] | null }[];
  readonly commands: readonly CommandNode[];
  /** Name of the command that runs when none is named. */
  readonly standard: string | null;
}

function describe(command: Command): CommandNode {
  return {
    name: command.name(),
    options: command.options.map(({ long, short, argChoices }) => ({
      flags: [long, short].filter((flag) => typeof flag === "string"),
      choices: argChoices ?? null,
    })),
    commands: command.commands.map(describe),
    standard: (command as unknown as { _defaultCommandName: string | null })._defaultCommandName ?? null,
  };
}

export function commandTree(): CommandNode {
  addHelp(program);
  return describe(program);
}
