/** The reference page of the command line, from the tree of commands. */
import type { Argument, Command, Option } from "commander";
import { settings } from "./config/settings.ts";
import { examples } from "./examples.ts";
import { addHelp, environmentOf, leaves } from "./help.ts";
import { program } from "./index.ts";

const cell = (text: string) => text.replaceAll("|", "\\|").replace(/\s+/g, " ").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function optionRow({ flags, description, defaultValue, argChoices }: Option): string[] {
  const isPlain = typeof defaultValue === "string" || typeof defaultValue === "number";
  return [code(flags), cell(`${description}${argChoices ? `; one of ${argChoices.join(", ")}` : ""}${isPlain ? ` (default: ${String(defaultValue)})` : ""}`)];
}

const argumentText = (argument: Argument) => {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

function section(path: string, command: Command): string {
  const args = command.registeredArguments;
  const aliases = command.aliases().map((alias) => code(`${path.split(" ").slice(0, -1).join(" ")} ${alias}`.trim()));
  const isDefault = command.parent !== null && (command.parent as unknown as { _defaultCommandName?: string | null })._defaultCommandName === command.name();
  const short = isDefault ? `Also: ${code(path.split(" ").slice(0, -1).join(" "))}.` : aliases.length > 0 ? `Also: ${aliases.join(", ")}.` : "";
  return [
    `### hypertower ${path}`,
    [command.description(), short].filter(Boolean).join(" ").replaceAll("<", "&lt;"),
    `\`\`\`text\nhypertower ${[path, ...args.map(argumentText)].join(" ")} [options]\n\`\`\``,
    ...(args.length > 0 ? [table(["argument", "meaning"], args.map((argument) => [code(argumentText(argument)), cell(`${argument.description}${argument.argChoices ? `; one of ${argument.argChoices.join(", ")}` : ""}`)]))] : []),
    table(["option", "meaning"], command.options.map(optionRow)),
    ...(examples[path] ? [`\`\`\`sh\n${examples[path].join("\n")}\n\`\`\``] : []),
    `Environment: ${environmentOf(command, path).map(([name]) => code(name)).join(", ")}.`,
  ].join("\n\n");
}

const intro = `# Command line

This page is written by \`npm run docs:cli\` from the commands themselves; \`--help\` after a command says the same.

A run or study is named by its id, the beginning of its id, its name where only one has it, or \`last\`. What deletes or erases asks
on a terminal and needs \`--yes\` elsewhere; \`delete\` moves to the bin, \`erase\` is for good. Standard output carries the result,
standard error progress and remarks; \`--quiet\` leaves errors and what was asked for. Tables are cut to a terminal's width, and are
whole in a pipe; statuses are in color on a terminal unless \`NO_COLOR\` is set. Files that are no text are not written to a terminal.

## Exit codes

| code | meaning |
| --- | --- |
| 0 | done; of \`train\`: finished |
| 1 | error, or something is left undone |
| 3 | the run diverged |
| 4 | \`reproduce\`: the repetition differs |
| 5 | \`verify\`: damage was found |
| 6 | \`worker\`: units were left to be continued |
| 7 | \`worker\`: this machine cannot train the unit |
| 130 | interrupted: the run is stopped with its progress saved |

A closed pipe (\`hypertower runs | head\`) is not an error.

## Configuration

A file of defaults: JSON, comments allowed. \`hypertower config path\` names it, \`HYPERTOWER_CONFIG\` names another. An option comes
first, then the environment, then the file, then the default; folders in the file are relative to it; \`hypertower config list\` shows where each value comes from.

\`\`\`jsonc
{
  // The newest twenty runs, with the step size they ended at.
  "runs": { "limit": 20, "columns": ["run", "status", "alpha", "testError"] },
  "study": { "workers": 4 }
}
\`\`\`

`;

const events = `## Events of --json

\`train\`, \`resume\`, \`rerun\`, \`reproduce\` and \`study\` with \`--json\` print one JSON object a line, and nothing else, to standard output.
\`event\` says what it is. (\`type\` says the same in an earlier form: \`epoch\` for \`evaluated\`, the final status for \`ended\`.)

| event | fields |
| --- | --- |
| \`started\` | \`run\`, \`name\`, \`stack\`, \`totalSteps\`, \`experiment\`; of a study: \`study\`, \`name\`, \`total\`, the counts by status, \`definition\` |
| \`step\` | \`run\`, \`step\` (from 0), \`values\`: \`loss\` and hyperparameters by name (\`L0.alpha\`), null where not finite; with \`--step-events all\` every logged series |
| \`evaluated\` | \`run\`, \`step\`, \`epoch\`, \`trainLoss\`, \`testLoss\`, \`testError\` and what else its task measures |
| \`guard\` | \`run\`, \`step\`, \`message\`: the guard restored an earlier state |
| \`progress\` | of a study: \`study\`, the counts by status, \`running\`, \`millisecondsLeft\` |
| \`run\` | of a study: a run that ended, with its point, status, hyperparameters and evaluations |
| \`ended\` | \`run\`, \`status\`, \`steps\`, \`epoch\`, \`loss\`, \`result\`, \`hyperparameters\`, \`reason\`; of a study: \`status\`, the counts, \`points\` |
| \`error\` | \`message\` |

\`--step-events\` says how often steps are reported: at most once in so many milliseconds for each run (1000 unless said otherwise),
\`all\` for every logged step in order, \`none\`.

## Completion

\`hypertower completion bash|zsh|fish|powershell\` prints a script. It completes commands, options, choices, and the runs, studies and
tags of the store. The script for PowerShell has not been run in a PowerShell yet.

`;

/** The whole page as Markdown. */
export function reference(): string {
  addHelp(program);
  const rows = settings.map(({ key, environment, help, allowed }) => [code(key), code(environment), cell(help), cell(allowed)]);
  const commands = leaves(program).map(({ path, command }) => section(path, command));
  return `${intro}${table(["setting", "environment", "meaning", "allowed"], rows)}\n\n${events}## Commands\n\n${commands.join("\n\n")}\n`;
}
