/** Shares studies and experiments as links, files and reports. */
import { deflateSync, Inflate, strFromU8, strToU8 } from "fflate";
import { messageOf } from "./errors.ts";
import { asNew, validateExperiment, type FieldError } from "./experiment.ts";
import { asNewStudy, validateStudy } from "./study/study.ts";

export const sharedKinds = ["study", "experiment"] as const;
export type SharedKind = (typeof sharedKinds)[number];

/** A definition as written; the receiver validates it. */
export interface Shared {
  readonly kind: SharedKind;
  readonly value: unknown;
}

export type Reading = ({ readonly ok: true } & Shared) | { readonly ok: false; readonly problem: string };

/** Maximum length of a link; typical ones have a few hundred characters. */
const maxLink = 200_000;
/** Maximum decompressed size of a link, in bytes. */
const maxText = 4 * 1024 * 1024;

const linkForm = /hypertower:(study|experiment):([A-Za-z0-9_-]+)/;
/** The same within a workbench address: `…/#/open/study/…`. */
const addressForm = /#\/open\/(study|experiment)\/([A-Za-z0-9_-]+)/;

/** Largest file of an experiment or study, in bytes; large ones have a few hundred kilobytes. */
export const maxDefinitionBytes = 8 * 2 ** 20;

/** The definition as one line of plain characters: `hypertower:study:q1YqL…`. */
export function encodeLink({ kind, value }: Shared): string {
  return `hypertower:${kind}:${payloadOf(value)}`;
}

/** The same as a page path of the workbench. */
export function openPath({ kind, value }: Shared): string {
  return `/open/${kind}/${payloadOf(value)}`;
}

function payloadOf(value: unknown): string {
  const bytes = deflateSync(strToU8(JSON.stringify(value)), { level: 9 });
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Decodes a link's payload. */
export function decodePayload(kind: SharedKind, payload: string): Reading {
  if (payload.length > maxLink) return { ok: false, problem: `The link is ${payload.length} letters long; at most ${maxLink} are read.` };
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    return { ok: true, kind, value: JSON.parse(inflated(bytes)) as unknown };
  } catch (error) {
    return { ok: false, problem: `The link is damaged or incomplete: ${messageOf(error)}.` };
  }
}

function inflated(bytes: Uint8Array): string {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const inflate = new Inflate((chunk, final) => {
    length += chunk.length;
    if (length > maxText) throw new Error("it unfolds to more than 4 MiB");
    chunks.push(chunk);
    ended = final;
  });
  // In small chunks, to detect a decompression bomb early.
  for (let at = 0; at < bytes.length; at += 4096) inflate.push(bytes.subarray(at, at + 4096), at + 4096 >= bytes.length);
  if (!ended) throw new Error("its end is missing");
  const all = new Uint8Array(length);
  chunks.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
  return strFromU8(all);
}

/**
 * Reads shared text: a link, an address with one, a study or experiment file, a report's sidecar,
 * or an
 * HTML report.
 */
export function readShared(text: string): Reading {
  const trimmed = text.trim().replace(/^\uFEFF/, "");
  if (trimmed === "") return { ok: false, problem: "There is nothing in it." };
  if (/^<!doctype html|^<html/i.test(trimmed)) return fromReport(trimmed);
  const [, kind, payload] = linkForm.exec(trimmed) ?? addressForm.exec(trimmed) ?? [];
  if (kind && payload && !trimmed.startsWith("{")) return decodePayload(kind as SharedKind, payload);
  if (!trimmed.startsWith("{")) {
    return { ok: false, problem: "This is no link of Hypertower, no study or experiment as JSON, and no report." };
  }
  try {
    return fromJson(JSON.parse(trimmed) as Record<string, unknown>);
  } catch (error) {
    return { ok: false, problem: `This is no valid JSON: ${messageOf(error)}` };
  }
}

function fromReport(page: string): Reading {
  for (const kind of sharedKinds) {
    const found = new RegExp(`<script type="application/json" id="hypertower-${kind}">([^<]*)</script>`).exec(page)?.[1];
    if (found === undefined) continue;
    try {
      return { ok: true, kind, value: JSON.parse(found) as unknown };
    } catch {
      return { ok: false, problem: `The ${kind} in this report is damaged.` };
    }
  }
  return { ok: false, problem: "This page is no report of Hypertower: it holds no study and no experiment." };
}

/** Fields that only one of the two kinds has. */
const onlyStudy = ["base", "axes", "heights", "stacks", "seeds", "halving"];
const onlyExperiment = ["dataset", "model", "tower", "batchSize", "budget", "seed", "engine"];

/**
 * Exports name every field; without a generator they predate the second one. A handwritten file is
 * new.
 */
const isExported = (value: unknown) => typeof value === "object" && value !== null && onlyExperiment.every((field) => field in value);

function fromJson(value: Record<string, unknown>): Reading {
  if (value["format"] === "hypertower-report") {
    const kind = sharedKinds.find((one) => typeof value[one] === "object" && value[one] !== null);
    const held = kind && (value[kind] as Record<string, unknown>)["definition"];
    return kind && held !== undefined ? { ok: true, kind, value: held } : { ok: false, problem: "This report's JSON holds no study and no experiment." };
  }
  if (onlyStudy.some((field) => field in value)) return { ok: true, kind: "study", value: isExported(value["base"]) ? value : asNewStudy(value) };
  if (onlyExperiment.some((field) => field in value)) return { ok: true, kind: "experiment", value: isExported(value) ? value : asNew(value) };
  return { ok: false, problem: `This is neither a study (${onlyStudy.join(", ")}) nor an experiment (${onlyExperiment.join(", ")}).` };
}

/** Errors of a shared definition; empty when valid. */
export function sharedErrors({ kind, value }: Shared): readonly FieldError[] {
  const validation = kind === "study" ? validateStudy(value) : validateExperiment(value);
  return validation.ok ? [] : validation.errors;
}
