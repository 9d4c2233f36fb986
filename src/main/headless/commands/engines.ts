/** `hypertower engines`: the engines of this machine with their speed, or why they are unavailable. */
import { engineFacts, type EngineKind, type EngineReport, type EngineState } from "../../../shared/engines.ts";
import type { ExtraName } from "../../../shared/extras/index.ts";
import { formatBytes, formatStepTime } from "../../../shared/format.ts";
import type { Services } from "../../services/services.ts";
import { loadExperiment } from "../definitionSource.ts";
import { experimentLine, formatTime, table } from "../format.ts";
import { extrasText, install, remove } from "./extras.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface EnginesOptions {
  readonly preset?: string;
  readonly calibrate?: boolean;
  readonly retry?: EngineKind;
  readonly install?: ExtraName;
  readonly remove?: ExtraName;
  readonly store?: string;
  readonly json?: boolean;
}

export async function enginesCommand(programFiles: ProgramFiles, file: string | undefined, options: EnginesOptions): Promise<number> {
  const experiment = await loadExperiment({ file, store: options.store, preset: options.preset, set: [] });
  const services = await openServices(programFiles, storeDirOf(options.store));
  try {
    printEngineProgress(services);
    const { handlers } = services;
    if (options.install) return await install(services, options.install, options.json ?? false);
    if (options.remove) return await remove(services, options.remove, options.json ?? false);
    if (options.retry) await handlers["engines.retry"]({ kind: options.retry, experiment });
    const report = options.calibrate ? await handlers["engines.calibrate"]({ experiment }) : await handlers["engines.list"]({ experiment });
    console.log(options.json ? JSON.stringify({ ...jsonOf(report), ...(await handlers["extras.list"]({})) }) : `${experimentLine(experiment)}\n\n${textOf(report)}\n\n${extrasText(await handlers["extras.list"]({}))}`);
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}

/** Prints remarks while engines are detected and measured, which takes a while. */
export function printEngineProgress(services: Services): void {
  let probing = false;
  services.on("engines.working", ({ kind, doing }) => {
    // Detection takes less than a second per engine, a measurement one or more: print detection once.
    if (kind && doing === "probing" && !probing) process.stderr.write("detecting engines\n");
    if (kind && doing === "measuring") process.stderr.write(`measuring engines: ${engineFacts[kind].title}\n`);
    probing = kind !== null && doing === "probing";
  });
}

function jsonOf({ engines, ...report }: EngineReport) {
  return { ...report, engines: engines.map((engine) => ({ ...engine, ...engineFacts[engine.kind], chosen: report.choice?.kind === engine.kind })) };
}

function textOf({ engines, choice, measuredAt }: EngineReport): string {
  const rows = engines.map((engine) => {
    const { description, kind, step } = engine;
    const { precision, deterministic } = engineFacts[kind];
    return [
      choice?.kind === kind ? "*" : "",
      kind,
      description && !engine.barred ? "yes" : "no",
      step === null ? "–" : formatStepTime(step),
      precision,
      deterministic === null ? "?" : deterministic ? "yes" : "no",
      description?.memory ? formatBytes(description.memory) : "–",
      description ? [description.device, description.driver].filter(Boolean).join(", ") : "–",
    ];
  });
  const missing = engines.flatMap((engine) => {
    const why = whyNot(engine);
    return why === null ? [] : [`  ${engine.kind}: ${why}`];
  });
  const unmeasured = engines.flatMap(({ kind, unmeasured: why }) => (why === null ? [] : [`  ${kind}: ${why}`]));
  return [
    table([["", "ENGINE", "HERE", "A STEP", "PRECISION", "SAME BITS", "MEMORY", "DEVICE"], ...rows]),
    "",
    choice ? `* chosen: ${choice.why}${measuredAt === null ? "" : ` (${formatTime(measuredAt)})`}` : 'not measured for this program yet; run "hypertower engines --calibrate"',
    ...(unmeasured.length > 0 ? ["", "not measured", ...unmeasured] : []),
    ...(missing.length > 0 ? ["", "not available", ...missing] : []),
  ].join("\n");
}

function whyNot({ kind, problem, barred }: EngineState): string | null {
  if (barred) return `excluded since ${formatTime(barred.at)}, because ${barred.reason}; to retry: hypertower engines --retry ${kind}`;
  return problem;
}
