/** The log files of both hosts, and the file of them that a person can send. */
import { existsSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import type { EngineReport } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { logsPath } from "../../shared/logs.ts";
import { dataFolder } from "../../core/folders/folder.ts";
import { bundleFiles, zipOf, type BundleFile } from "../logs/bundle.ts";
import { hideNames, openLog, privateThings } from "../logs/hostLog.ts";
import { Privacy, type FindNames } from "../logs/privacy.ts";
import { namesIn, storeFacts, storeFileIn } from "../store/supportFacts.ts";
import type { ExportFile } from "./services.ts";

export interface LoggingHost {
  readonly storeDir: string;
  /** What this process is: `desktop`, or a command. */
  readonly where: string;
  readonly version: string;
}

/** Folder of the program: the one with its package.json, above the sources or the build. */
const appDir = programFolder(import.meta.dirname);

function programFolder(from: string): string {
  if (existsSync(join(from, "package.json")) || dirname(from) === from) return from;
  return programFolder(dirname(from));
}

/** Data lies where its variable says, or beside the default store; a folder that was moved and is missing hides nothing. */
function dataDir(): string {
  try {
    return dataFolder();
  } catch {
    return "";
  }
}

/** Has this process log to `logs/` beside the store. */
export function openHostLog({ storeDir, where, version }: LoggingHost): void {
  openLog({ storeDir, where, version, appDir, dataDir: dataDir() });
  hideNames((text) => namesIn(storeFileIn(storeDir), text));
}

export interface SupportOptions {
  readonly storeDir: string;
  readonly version: string;
  readonly host: string;
  /** Engines as they are known; the file does without those that do not answer in time. */
  readonly engines?: () => Promise<EngineReport>;
  /** Titles and files of datasets, which are taken out. */
  readonly datasets?: () => Promise<readonly string[]>;
  /** Why the store could not be opened. */
  readonly problem?: unknown;
}

/** Milliseconds to wait for the engines. */
const enginesWithin = 20_000;

export async function supportFiles({ storeDir, version, host, engines, datasets, problem }: SupportOptions): Promise<BundleFile[]> {
  const privacy = new Privacy(privateThings({ storeDir, appDir, dataDir: dataDir() }));
  const titles = await (datasets?.() ?? Promise.resolve([])).catch(() => []);
  privacy.names = namesOf(storeDir, titles);
  const { problem: unreadable, ...store } = storeFacts(storeFileIn(storeDir));
  const processors = cpus();
  const facts = {
    madeAt: new Date().toISOString(),
    version,
    host,
    platform: `${platform()} ${arch()}`,
    release: release(),
    node: process.versions.node,
    ...(process.versions["electron"] !== undefined && { electron: process.versions["electron"] }),
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memory: totalmem(),
    store: { ...store, ...(unreadable !== undefined && { problem: messageOf(unreadable) }), ...(problem !== undefined && { cannotBeOpened: messageOf(problem) }) },
    engines: engines ? await enginesIn(engines) : "not asked",
  };
  return bundleFiles({ logsDir: join(storeDir, "logs"), privacy, facts });
}

export const describeSupport = (files: readonly BundleFile[]) => {
  const filename = supportFilename();
  return { files: files.map(({ name, what, content }) => ({ name, what, bytes: content.byteLength })), filename, path: logsPath(filename) };
};

export const supportFile = (files: readonly BundleFile[]): ExportFile => ({ filename: supportFilename(), mediaType: "application/zip", pieces: [zipOf(files)] });

const supportFilename = () => `hypertower-logs-${new Date().toISOString().slice(0, 10)}.zip`;

function namesOf(storeDir: string, titles: readonly string[]): FindNames {
  return (text) => {
    const lower = text.toLowerCase();
    const found = titles.filter((title) => lower.includes(title.toLowerCase()));
    try {
      return [...found, ...namesIn(storeFileIn(storeDir), text)];
    } catch {
      return found;
    }
  };
}

async function enginesIn(ask: () => Promise<EngineReport>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("no answer in time"), enginesWithin);
  });
  try {
    const report = await Promise.race([ask(), late]);
    return typeof report === "string" ? report : report.engines.map(({ kind, problem, barred, description, step }) => ({ kind, problem, barred: barred?.reason ?? null, description, step }));
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}
