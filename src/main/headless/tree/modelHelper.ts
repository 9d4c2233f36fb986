/** `hypertower import-model --helper [script]`: in place of an import, writes the script that exports a PyTorch module. */
import type { Command } from "commander";
import { finish } from "../finish.ts";

const defaultFile = "export_model.py";

/** Adds the option to the command, whose arguments and other options it does not need. */
export function addModelHelper(program: Command): void {
  const importModel = program.commands.find((command) => command.name() === "import-model");
  if (!importModel) throw new Error("there is no command import-model to add --helper to");
  const [file] = importModel.registeredArguments;
  const mandatory = importModel.options.filter((option) => option.mandatory);
  if (file) file.required = false;
  for (const option of mandatory) option.mandatory = false;
  importModel
    .option("--helper [script]", `import nothing; write a Python script that exports a PyTorch module for this, with a batch for --check (default: ${defaultFile}; - is standard output)`)
    .hook("preAction", async (command) => {
      const options: Readonly<Record<string, unknown>> = command.opts();
      const { helper } = options;
      if (helper !== undefined) {
        await finish(import("../commands/modelHelper.ts").then(({ modelHelper }) => modelHelper(typeof helper === "string" ? helper : defaultFile)));
        // The command's own work is left out.
        process.exit();
      }
      if (command.args.length === 0) command.error(`error: missing required argument '${file?.name() ?? "file"}'`);
      for (const option of mandatory) if (options[option.attributeName()] === undefined) command.error(`error: required option '${option.flags}' not specified`);
    });
}
