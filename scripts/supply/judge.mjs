/** Decides which known vulnerabilities stop a release, from what the registry answers and from `advisories.json`. */

/**
 * @typedef {{ id: string, package: string, reason: string, until: string }} Accepted An advisory that does not concern
 * Hypertower. `until` is a date, YYYY-MM-DD, after which somebody has to look again.
 * @typedef {{ problems: string[], remarks: string[] }} Verdict
 */

/** Days for which an advisory may be accepted. */
const longest = 183;
const day = 86_400_000;

/** What is wrong with the entries of `advisories.json`. @param {unknown} accepted @param {Date} today @returns {string[]} */
export function acceptedProblems(accepted, today) {
  if (!Array.isArray(accepted)) return ["advisories.json must be a list of { id, package, reason, until }"];
  return accepted.flatMap((entry, at) => {
    const where = `advisories.json, entry ${at + 1}${typeof entry?.id === "string" ? ` (${entry.id})` : ""}`;
    const missing = ["id", "package", "reason", "until"].filter((key) => typeof entry?.[key] !== "string" || entry[key].trim() === "");
    if (missing.length > 0) return [`${where}: ${missing.join(", ")} must be a text`];
    const until = dateOf(entry.until);
    if (until === null) return [`${where}: until is "${entry.until}"; write a date as YYYY-MM-DD`];
    if (until < startOf(today)) return [`${where}: was accepted until ${entry.until}; look again, then extend or remove it`];
    if (until - startOf(today) > longest * day) return [`${where}: is accepted until ${entry.until}; at most ${longest} days are allowed`];
    return [];
  });
}

/**
 * @param {unknown} answer of `npm audit --json`
 * @param {readonly Accepted[]} accepted
 * @param {Date} today
 * @returns {Verdict}
 */
export function judgeAdvisories(answer, accepted, today) {
  const wrong = acceptedProblems(accepted, today);
  const vulnerabilities = answer?.vulnerabilities;
  if (typeof vulnerabilities !== "object" || vulnerabilities === null) {
    return { problems: [...wrong, `the registry did not say which packages are vulnerable: ${answer?.message ?? answer?.error?.summary ?? "no answer"}`], remarks: [] };
  }
  // A package may be vulnerable by itself, which is an object, or through another, which is that one's name.
  const found = Object.values(vulnerabilities).flatMap(({ via }) => via.filter((cause) => typeof cause === "object"));
  const reported = new Map(found.map((advisory) => [idOf(advisory), advisory]));
  const explained = new Map(Array.isArray(accepted) ? accepted.map((entry) => [entry?.id, entry]) : []);
  const problems = [];
  const remarks = [];
  for (const [id, { name, title, severity, url, range }] of reported) {
    const entry = explained.get(id);
    // An identifier names one package's advisory: another package with the same one was not looked at.
    if (entry?.package === name) remarks.push(`${id} in ${name}, accepted until ${entry.until}: ${entry.reason}`);
    else problems.push(`${name} ${range}: ${title} (${severity}, ${url}); update it, or explain it in scripts/supply/advisories.json`);
  }
  for (const id of explained.keys()) if (!reported.has(id)) remarks.push(`${id} is no longer reported: remove it from scripts/supply/advisories.json`);
  return { problems: [...wrong, ...problems], remarks };
}

/**
 * Whether the pinned Electron still gets security fixes, which its newest three major versions do.
 * @param {string} pinned version in package.json
 * @param {unknown} tags of `npm view electron dist-tags --json`
 * @returns {Verdict}
 */
export function judgeElectron(pinned, tags) {
  const latest = tags?.latest;
  if (typeof latest !== "string") return { problems: ["the registry did not say which Electron is the newest"], remarks: [] };
  const major = Number.parseInt(pinned, 10);
  const newest = Number.parseInt(latest, 10);
  if (major < newest - 2) return { problems: [`Electron ${pinned} gets no security fixes any more: ${newest - 2} is the oldest that does`], remarks: [] };
  const ofMajor = tags[`${major}-x-y`];
  const remarks = typeof ofMajor === "string" && isNewer(ofMajor, pinned) ? [`Electron ${ofMajor} is out: ${pinned} lacks its fixes`] : [];
  return { problems: [], remarks };
}

const idOf = ({ url, source }) => (typeof url === "string" ? url.split("/").at(-1) : String(source));
const startOf = (date) => Date.parse(`${date.toISOString().slice(0, 10)}T00:00:00Z`);

function dateOf(text) {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Some impossible dates are read as others: 2027-02-30 as March 2.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? null : time;
}

/** Whether version `a` is newer than `b`, of numbers alone. */
function isNewer(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map((part) => Number.parseInt(part, 10)));
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && left[at] > right[at];
}
