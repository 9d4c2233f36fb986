/** Loaded before the command line: instead of running a command, it prints the tree of commands and options as JSON. */
import { writeSync } from "node:fs";
import { Command } from "commander";

export interface CommandNode {
  readonly name: string;
  readonly options: readonly { readonly flags: readonly string[]; readonly takesValue: boolean; readonly choices: readonly string[] | null }[];
  readonly commands: readonly CommandNode[];
  /** Name of the command that runs when none is named. */
  readonly standard: string | null;
}

function describe(command: Command): CommandNode {
  return {
    name: command.name(),
    options: command.options.map(({ long, short, required, optional, argChoices }) => ({
      flags: [long, short].filter((flag) => typeof flag === "string"),
      takesValue: required || optional,
      choices: argChoices ?? null,
    })),
    commands: command.commands.map(describe),
    standard: (command as unknown as { _defaultCommandName: string | null })._defaultCommandName ?? null,
  };
}

const print = function (this: Command): never {
  writeSync(1, JSON.stringify(describe(this)));
  process.exit(0);
};
Command.prototype.parse = print;
Command.prototype.parseAsync = print;
