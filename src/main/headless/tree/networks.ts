/** The commands `import-model` and `models`. */
import { Option, type Command } from "commander";
import { engineKinds } from "../../../shared/engines.ts";
import { finish } from "../finish.ts";
import { jsonLinesOption, oneJsonOption, positiveNumber, storeOption } from "../options.ts";
import { fillingPair, namePair } from "./namePairs.ts";
import type { CheckModelOptions } from "../commands/checkModel.ts";
import type { ImportModelOptions, ModelsOptions } from "../commands/networks.ts";
import type { ProgramFiles } from "../session.ts";

const commands = () => import("../commands/networks.ts");
const networkArgument = "name of an imported network, or its SHA-256 or the beginning of that";

export function addNetworkCommands(program: Command, programFiles: ProgramFiles): void {
  program
    .command("import-model")
    .description("Import a network from an ONNX file, so that experiments can train it; or, with --check, compare its loss and gradients with those of the library it came from.")
    .argument("<file>", "ONNX file (.onnx)")
    .option("--name <name>", "name of the network (default: the file's)")
    .option("--output <name>", "output to train (default: the first)")
    .addOption(new Option("--tie <name=name>", "two arrays that are one parameter, such as lm_head.weight=wte.weight; may be repeated").argParser(namePair))
    .addOption(new Option("--fill <name=what>", "an input beside the examples, filled with ones, zeros or positions; may be repeated").argParser(fillingPair))
    .option("--check <batch>", "import nothing; compare with a .npz file that has x, y (classes, or the next symbol of every position), loss, and grad.NAME for every parameter")
    .addOption(new Option("--engine <kind>", "with --check: engine that calculates (default: onnx-cpu)").choices([...engineKinds]))
    .option("--tolerance <number>", "with --check: largest relative difference allowed (default: 1e-7 in doubles, 1e-3 in single precision)", positiveNumber)
    .option(...storeOption)
    .option(...oneJsonOption)
    .addHelpText("after", "\nExit codes: 0 imported, or with --check it agrees; 1 an error, or it does not agree.")
    .action((file: string, { check, ...options }: ImportModelOptions & Partial<CheckModelOptions>) =>
      finish(check === undefined ? commands().then(({ importModel }) => importModel(programFiles, file, options)) : import("../commands/checkModel.ts").then(({ checkModel }) => checkModel(file, { ...options, check })), options.json),
    );

  const models = program.command("models").description("List, show, rename and remove imported networks.");
  models
    .command("list", { isDefault: true })
    .description("List the imported networks.")
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((options: ModelsOptions) => finish(commands().then(({ listModels }) => listModels(programFiles, options)), options.json));
  models
    .command("show")
    .description("Show an imported network: its layers with shapes and parameters, what its output means, the datasets that fit.")
    .argument("<network>", networkArgument)
    .option("--nodes", "list the nodes as the exporter names them")
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((network: string, options: ModelsOptions & { readonly nodes?: boolean }) => finish(commands().then(({ showModel }) => showModel(programFiles, network, options)), options.json));
  models
    .command("rename")
    .description("Rename an imported network.")
    .argument("<network>", networkArgument)
    .argument("<name>", "new name")
    .option(...storeOption)
    .option(...oneJsonOption)
    .action((network: string, name: string, options: ModelsOptions) => finish(commands().then(({ renameModel }) => renameModel(programFiles, network, name, options)), options.json));
  models
    .command("remove")
    .description("Remove an imported network that no run or study uses.")
    .argument("<network>", networkArgument)
    .option(...storeOption)
    .option(...jsonLinesOption)
    .action((network: string, options: ModelsOptions) => finish(commands().then(({ removeModel }) => removeModel(programFiles, network, options)), options.json));
}
