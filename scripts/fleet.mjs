/** `npm run test:fleet`: tests of fleets with the real things; `-- chaos` and `-- compare` with options of their own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const [what, ...rest] = process.argv.slice(2);
const programs = { chaos: "test/fleet/chaos/chaos.ts", compare: "test/fleet/chaos/demo.ts" };
const args = what !== undefined && Object.hasOwn(programs, what) ? [join(root, programs[/** @type {keyof typeof programs} */ (what)]), ...rest] : [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "vitest.fleet.config.ts", ...process.argv.slice(2)];
const env = { HYPERTOWER_DATA: join(root, "test-results/data"), HYPERTOWER_EXTRAS: join(root, "test-results/extras"), ...process.env };
process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit", cwd: root, env }).status ?? 1;
