/** The changelog's section of a version, as notes of its release. */

/** @returns {{ date: string, notes: string } | null} null where the changelog has no section of this version with a date */
export function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  for (const section of sections) {
    const [, name, date] = /^\[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?/.exec(section) ?? [];
    if (name !== version || date === undefined) continue;
    const notes = section.slice(section.indexOf("\n") + 1).replace(/^\[[^\]]+\]: .*$/gm, "").trim();
    return { date, notes };
  }
  return null;
}
