/** Updates: asked for by a person, never looked for otherwise. */
import { z } from "zod";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256");

/** A plain file name: no folder, no leading dot. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}$/, "not a file name");
const httpsPage = z.string().max(500).regex(/^https:\/\/[^\s]+$/, "not an https address");
export const versionText = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]{1,40})?$/, "not a version");

const releaseFile = z.object({
  name: fileName,
  bytes: z.number().int().min(1).max(2 ** 31),
  sha256: hash,
  platform: z.string().max(20),
  arch: z.string().max(20),
  /** deb, rpm, AppImage, installer, dmg, ... */
  form: z.string().max(20),
});
export type ReleaseFile = z.infer<typeof releaseFile>;

/** `release.json` of a release. */
export const releaseInfo = z.object({
  format: z.literal(1),
  version: versionText,
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "not a date"),
  /** Markdown. */
  notes: z.string().max(200_000),
  page: httpsPage,
  files: z.array(releaseFile).max(100),
});
export type ReleaseInfo = z.infer<typeof releaseInfo>;

export const updateState = z.object({
  /** Version that runs. */
  current: z.string(),
  /** Where releases come from; null for a build without updates, such as one from the sources. */
  source: z.string().nullable(),
  /** The newest release, if it is newer than this version. */
  release: z
    .object({
      version: z.string(),
      date: z.string(),
      notes: z.string(),
      page: z.string(),
      /** Packages for this system; empty where there are none. */
      files: z.array(z.object({ name: z.string(), bytes: z.number(), form: z.string() })),
    })
    .nullable(),
});
export type UpdateState = z.infer<typeof updateState>;

export const updateRequests = {
  /** Asks the release feed, once. Everything it says is signed. */
  "updates.check": { input: z.strictObject({}).default({}), output: updateState },
  /** Downloads a package of the newest release and verifies it; nothing is installed. */
  "updates.download": { input: z.strictObject({ name: fileName }), output: z.object({ path: z.string() }) },
} as const;

/** Negative where `a` is older than `b`, by semantic versioning without build metadata. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) => {
    const [numbers = "", ...rest] = version.split("-");
    return { numbers: numbers.split(".").map(Number), pre: rest.join("-") };
  };
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  // A version without a suffix follows its release candidates.
  if (left.pre === right.pre) return 0;
  if (left.pre === "") return 1;
  if (right.pre === "") return -1;
  return comparePre(left.pre.split("."), right.pre.split("."));
}

function comparePre(left: readonly string[], right: readonly string[]): number {
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [a, b] = [left[i], right[i]];
    if (a === undefined) return -1;
    if (b === undefined) return 1;
    if (a === b) continue;
    const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumber && otherIsNumber) return Number(a) - Number(b);
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return 0;
}
