/** The commands `config` and `completion`. */
import { Argument, type Command } from "commander";
import { shells, type Shell } from "../completion/shells.ts";
import { finish } from "../finish.ts";
import { oneJsonOption } from "../options.ts";
import { settingKeys } from "../config/settings.ts";

const commands = () => import("../commands/config.ts");

export function addSettingsCommands(program: Command): void {
  const config = program.command("config").description("Read and change the configuration file: defaults for options.");
  const key = () => new Argument("<key>", `setting: ${settingKeys.join(", ")}`);
  config
    .command("list", { isDefault: true })
    .description("List every setting, its value and where that comes from.")
    .option(...oneJsonOption)
    .action((options: { json?: boolean }) => finish(commands().then(({ configList }) => configList(options)), options.json));
  config
    .command("get")
    .description("Print the value of a setting.")
    .addArgument(key())
    .option(...oneJsonOption)
    .addHelpText("after", "\nExit codes: 0 it is set, 1 it is not.")
    .action((name: string, options: { json?: boolean }) => finish(commands().then(({ configGet }) => configGet(name, options)), options.json));
  config
    .command("set")
    .description("Write a setting into the file; comments stay.")
    .addArgument(key())
    .argument("<value>", "value; a list with commas, or as JSON")
    .action((name: string, value: string) => finish(commands().then(({ configSet }) => configSet(name, value))));
  config
    .command("unset")
    .description("Remove a setting from the file.")
    .addArgument(key())
    .action((name: string) => finish(commands().then(({ configUnset }) => configUnset(name))));
  config
    .command("path")
    .description("Print the path of the file.")
    .action(() => finish(commands().then(({ configPathCommand }) => configPathCommand())));
  program
    .command("completion")
    .description("Print a script that completes commands, options, choices and names of runs and studies in a shell.")
    .addArgument(new Argument("<shell>", "shell").choices([...shells]))
    .addHelpText("after", "\nbash: source it in ~/.bashrc, or put it where bash-completion looks; zsh: a file _hypertower in $fpath; fish: a file in ~/.config/fish/completions; PowerShell: append it to $PROFILE.")
    .action((shell: Shell) => finish(import("../commands/completion.ts").then(({ completion }) => completion(shell))));
}
