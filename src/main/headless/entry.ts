/** Entry of the command line. */
import { addHelp, answers } from "./help.ts";
import { exitCodes } from "./exitCodes.ts";
import { program } from "./index.ts";
import { outputClosed } from "./interrupt.ts";
import { guardConsole } from "./printable.ts";
import { beQuiet, reportError } from "./quiet.ts";
import { guardProcess } from "../services/lastResort.ts";

guardConsole();
guardProcess((lines) => {
  reportError(`hypertower: ${lines.join("\n")}`);
  process.exit(exitCodes.error);
});
// Nobody reads the error output any more; the command goes on.
process.stderr.on("error", () => undefined);
// A reader that closes early (`hypertower runs | head`) is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  outputClosed();
});

addHelp(program);
program.hook("preAction", async (_, command) => {
  const { applyConfig, pathOf } = await import("./config/apply.ts");
  const { quiet, json } = command.opts<{ quiet?: boolean; json?: boolean }>();
  if (quiet) beQuiet(answers(pathOf(command), json ?? false));
  applyConfig(command);
});

const [asked, ...words] = process.argv.slice(2);
if (asked === "__complete") {
  const { answer } = await import("./completion/answer.ts");
  process.stdout.write(`${answer(program, words)}\n`);
} else {
  try {
    await program.parseAsync();
  } catch (error) {
    // Of the configuration; a command reports its own.
    const { finish } = await import("./finish.ts");
    await finish(Promise.reject(error));
  }
}
