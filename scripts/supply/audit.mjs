/**
 * `npm run audit`: asks the registry for known vulnerabilities of what ships (`npm audit --omit=dev`, and Electron), and
 * whether the pinned Electron still gets fixes. Fails on every advisory that `scripts/supply/advisories.json` does not
 * explain, on explanations that have expired, and where the registry does not answer. `-- --answer FILE` judges an answer
 * of `npm audit --omit=dev --json` that was recorded elsewhere.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { askRegistry } from "./ask.mjs";
import { report } from "./report.mjs";

const { values: options } = parseArgs({ options: { answer: { type: "string" } } });
const answer = options.answer === undefined ? undefined : JSON.parse(readFileSync(options.answer, "utf8"));
const failed = askRegistry(join(import.meta.dirname, "..", ".."), answer).reduce((sum, { what, verdict }) => sum + report(what, verdict.problems, verdict.remarks), 0);
process.exitCode = failed === 0 ? 0 : 1;
