/** `hypertower engines --install`, `--remove` and `--extras`: optional packages. */
import { extraFacts, type ExtraName, type ExtraStates } from "../../../shared/extras/index.ts";
import { formatBytes } from "../../../shared/format.ts";
import type { Services } from "../../services/services.ts";
import { table } from "../format.ts";
import { exitCodes } from "../exitCodes.ts";
import { onInterrupt } from "../interrupt.ts";


/** Installs one and prints progress; Ctrl+C cancels it. */
export async function install(services: Services, name: ExtraName, json: boolean): Promise<number> {
  const { handlers } = services;
  const bar = process.stderr.isTTY;
  let last = "";
  services.on("extras.working", ({ working }) => {
    if (!working) return;
    const amount = working.done === null ? "" : ` ${formatBytes(working.done)}${working.total === null ? "" : ` of about ${formatBytes(working.total)}`}`;
    if (bar) process.stderr.write(`\r\x1b[K${working.doing}${amount}`);
    else if (working.doing !== last) process.stderr.write(`${working.doing}\n`);
    last = working.doing;
  });
  let canceled = false;
  const forget = onInterrupt(() => {
    canceled = true;
    void handlers["extras.cancel"]({});
  });
  try {
    const states = await handlers["extras.install"]({ name });
    if (bar) process.stderr.write("\r\x1b[K");
    const { bytes } = states.extras.find((extra) => extra.name === name)!;
    console.log(json ? JSON.stringify(states) : `${extraFacts[name].title} is installed${bytes === null ? "" : ` (${formatBytes(bytes)} in ${states.folder})`}.`);
    return exitCodes.ok;
  } catch (error) {
    if (bar) process.stderr.write("\r\x1b[K");
    if (!canceled) throw error;
    console.error("canceled; nothing was installed");
    return exitCodes.interrupted;
  } finally {
    forget();
  }
}

export async function remove({ handlers }: Services, name: ExtraName, json: boolean): Promise<number> {
  const states = await handlers["extras.remove"]({ name });
  console.log(json ? JSON.stringify(states) : `${extraFacts[name].title} was removed.`);
  return exitCodes.ok;
}

/** Extras as a table, to end the list of engines. */
export function extrasText({ extras }: ExtraStates): string {
  const rows = extras.map(({ name, installed, included, problem, bytes }) => {
    const { download, help } = extraFacts[name];
    const state = included ? "included" : installed ? `installed${bytes === null ? "" : ` (${formatBytes(bytes)})`}` : problem ? "not for this platform" : `${formatBytes(download)} to download`;
    return [name, state, help];
  });
  return `optional packages (hypertower engines --install NAME, --remove NAME)\n${table([["NAME", "HERE", "WHAT IT IS FOR"], ...rows])}`;
}
