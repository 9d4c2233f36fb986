/** Backups of the store: what is known of each, and how many are kept. */
import { z } from "zod";

export const backupReasons = ["daily", "end", "migration", "manual"] as const;
export type BackupReason = (typeof backupReasons)[number];

export const backupReasonText: Readonly<Record<BackupReason, string>> = {
  daily: "daily",
  end: "after a clean end",
  migration: "before a change of the store's layout",
  manual: "by hand",
};

/** File name of a backup: `20261130T115203123Z-daily.sqlite`. */
export const backupName = z.string().regex(/^\d{8}T\d{9}Z-[a-z]{1,20}(-\d{1,3})?\.sqlite$/, "not the name of a backup");

export const backupInfo = z.object({
  name: backupName,
  at: z.number(),
  reason: z.enum(backupReasons),
  /** Size on disk, with checkpoints that no other folder holds. */
  bytes: z.number(),
  /** What it holds; null when it cannot be read. */
  runs: z.number().nullable(),
  steps: z.number().nullable(),
  /** Checkpoints of runs that can be resumed. */
  checkpoints: z.number(),
});
export type BackupInfo = z.infer<typeof backupInfo>;

export const backupSettings = z.strictObject({
  /** Whether backups are made by themselves: after clean ends, daily, and before changes of the layout. */
  enabled: z.boolean().default(true),
  /** Latest backups that are always kept. */
  last: z.number().int().min(1).max(100).default(3),
  /** Days of which the latest backup is kept. */
  daily: z.number().int().min(0).max(366).default(7),
  /** Weeks of which the latest backup is kept. */
  weekly: z.number().int().min(0).max(520).default(4),
  /** Percent of the disk that all backups may take. */
  share: z.number().min(1).max(90).default(20),
});
export type BackupSettings = z.infer<typeof backupSettings>;

const day = 24 * 60 * 60 * 1_000;

/**
 * Names of the backups to remove. Backups made by hand stay; the latest always does.
 * @param most bytes that all backups may take
 */
export function backupsToRemove(backups: readonly Pick<BackupInfo, "name" | "at" | "reason" | "bytes">[], { last, daily, weekly }: BackupSettings, now: number, most: number): string[] {
  const newestFirst = [...backups].sort((a, b) => b.at - a.at);
  const kept = new Set(newestFirst.slice(0, last).map(({ name }) => name));
  for (const [count, length] of [[daily, day], [weekly, 7 * day]] as const) {
    const seen = new Set<number>();
    for (const { name, at } of newestFirst) {
      const period = Math.floor(at / length);
      if (Math.floor(now / length) - period >= count || seen.has(period)) continue;
      seen.add(period);
      kept.add(name);
    }
  }
  for (const { name, reason } of newestFirst) if (reason === "manual") kept.add(name);
  // Over the limit: the oldest go first.
  let bytes = newestFirst.reduce((sum, backup) => sum + (kept.has(backup.name) ? backup.bytes : 0), 0);
  for (const backup of newestFirst.slice(1).reverse()) {
    if (bytes <= most) break;
    if (!kept.has(backup.name) || backup.reason === "manual") continue;
    kept.delete(backup.name);
    bytes -= backup.bytes;
  }
  return newestFirst.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
}
