/**
 * `npm run package:check [-- --keep FOLDER --made]`: makes the unpacked app and, on Linux, a .deb; checks content, sizes and fuses; starts the
 * app from the package, trains, exports and closes it. Uses the Electron that ELECTRON_OVERRIDE_DIST_PATH names, the installed one,
 * or Electron 25 where neither is at hand (see test/desktop/electron25). `--keep` leaves pictures of the window in
 * a folder, `--made` checks what `npm run package` has made already, `--no-deb` starts the unpacked app without making a .deb.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root, runMain, SetupError } from "../setup.mjs";
import { opensInspector, pageGetsOut, runsAsNode, runsFolder, takesNodeOptions } from "./closed.mjs";
import { brokenRules, filesOf, sizesByPart } from "./content.mjs";
import { bytesOf, makeDeb } from "./deb.mjs";
import { display, DrivenApp, startAgain } from "./driven.mjs";
import { readFuses } from "./fuses.mjs";
import { makePackages, overriddenElectron, unpackedApp } from "./index.mjs";
import { packageFolder } from "./stage.mjs";
import { textShare } from "./texts.mjs";

const { values: options } = parseArgs({ options: { keep: { type: "string" }, made: { type: "boolean", default: false }, "no-deb": { type: "boolean", default: false }, target: { type: "string", default: `${process.platform}-${process.arch}` } } });
const aims = { installed: 250, packed: 100 };
/** Megabytes above which the check fails. They are what Electron 25 needs, and a little more. */
const limits = { installed: 330, packed: 115 };
const megabytes = (bytes) => bytes / 1e6;

let passed = 0;
let failed = 0;
async function check(name, work) {
  try {
    const remark = await work();
    passed++;
    console.log(`✓ ${name}${remark ? `: ${remark}` : ""}`);
  } catch (error) {
    failed++;
    console.log(`✗ ${name}\n  ${error.message.replaceAll("\n", "\n  ")}`);
  }
}

function must(holds, message) {
  if (!holds) throw new SetupError(message);
}

/** @returns {Promise<{ words: string, staging: object }>} */
async function electronAtHand() {
  const named = overriddenElectron();
  if (named) return { words: `Electron ${named.version}`, staging: { electron: named } };
  const installed = join(root, "node_modules", "electron");
  if (existsSync(join(installed, "dist"))) return { words: "the installed Electron", staging: {} };
  const legacy = join(root, "test", "desktop", "electron25");
  const { layOutElectron, electronVersion } = await import("../../test/desktop/electron25/electron.mjs");
  const { compileSqlite } = await import("../../test/desktop/electron25/sqlite.mjs");
  const electron = { dist: await layOutElectron(), version: electronVersion };
  return { words: `Electron ${electronVersion}, without ES modules and with its own SQLite`, staging: { electron, sqlite: await compileSqlite(), polyfills: join(legacy, "polyfills.cjs"), legacy: true } };
}

async function checkContent(folder) {
  const files = filesOf(folder);
  for (const [rule, paths] of Object.entries(brokenRules(files, options.target))) {
    await check(rule, () => must(paths.length === 0, paths.slice(0, 10).join("\n")));
  }
  console.log("\nSizes by part, in MB:");
  for (const [part, bytes] of sizesByPart(files)) console.log(`  ${part.padEnd(26)}${megabytes(bytes).toFixed(1).padStart(7)}`);
  const total = megabytes(bytesOf(folder));
  console.log(`  ${"installed".padEnd(26)}${total.toFixed(1).padStart(7)}  (aim: ${aims.installed})\n`);
  await check(`at most ${limits.installed} MB installed`, () => must(total <= limits.installed, `${total.toFixed(1)} MB`));
}

/** Makes the .deb and unpacks it as dpkg would. @returns {Promise<string>} the executable in it */
async function checkDeb(folder, work) {
  const file = makeDeb({ app: folder, target: options.target, output: join(packageFolder, "dist"), work: join(packageFolder, "deb") });
  const packed = megabytes(bytesOf(file));
  console.log(`\n.deb: ${packed.toFixed(1)} MB (aim: ${aims.packed})\n`);
  await check(`a .deb of at most ${limits.packed} MB`, () => must(packed <= limits.packed, `${packed.toFixed(1)} MB`));
  const installed = join(work, "installed");
  await check("the .deb unpacks", () => {
    const { status, stderr } = spawnSync("dpkg-deb", ["-x", file, installed], { encoding: "utf8" });
    must(status === 0, stderr);
    for (const path of ["usr/share/applications/hypertower.desktop", "usr/share/mime/packages/hypertower.xml", "usr/share/icons/hicolor/256x256/apps/hypertower.png"]) must(existsSync(join(installed, path)), `${path} is missing`);
  });
  await check("its control file and scripts are sound", () => {
    const { status, stdout, stderr } = spawnSync("dpkg-deb", ["--info", file], { encoding: "utf8" });
    must(status === 0, stderr);
    for (const text of ["Package: hypertower", "Architecture: ", "Depends: libgtk-3-0", "postinst", "postrm"]) must(stdout.includes(text), `dpkg-deb --info does not show ${text}`);
  });
  return join(installed, "opt", "Hypertower", "hypertower");
}

const request = (page, name, input) =>
  page.evaluate(
    async ([called, given]) => {
      const reply = await window.hypertower.request(called, given);
      if (!reply.ok) throw new Error(reply.error.message);
      return reply.value;
    },
    [name, input],
  );

/** A file of a report, as a download gets it. */
async function reportFile(page, run, file) {
  const { path } = await request(page, "reports.file", { of: { run }, file });
  const text = await page.evaluate(async (address) => {
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }, path);
  return Buffer.from(text, "latin1");
}

const picture = async (page, name) => {
  if (!options.keep) return;
  mkdirSync(options.keep, { recursive: true });
  await page.screenshot({ path: join(options.keep, `${name}.png`) });
};

async function checkRunning(executable, work) {
  const screen = await display();
  const env = { ...process.env, ...screen.env, HYPERTOWER_HOME: join(work, "store"), HYPERTOWER_ENGINE: process.env.HYPERTOWER_ENGINE ?? "onnx-cpu" };
  let app;
  try {
    await check("the app starts from the package", async () => {
      app = await DrivenApp.start({ executable, env });
      await app.page.getByTestId("experiment-start").waitFor({ timeout: 180_000 });
      const { host, version } = await request(app.page, "app.info", {});
      must(host === "desktop", `the window's host is ${host}`);
      await picture(app.page, "started");
      return `version ${version}`;
    });
    if (!app) return;
    const { page } = app;
    page.setDefaultTimeout(120_000);
    let run = "";
    await check("the quick look trains to its end", async () => {
      await page.getByRole("button", { name: /^Quick look/ }).first().click();
      await page.getByTestId("experiment-start").click();
      await page.waitForURL(/#\/runs\/[^/]+$/);
      run = /#\/runs\/([^/?]+)/.exec(page.url())[1];
      await page.getByTestId("run-status").first().getByText(/finished/i).waitFor({ timeout: 240_000 });
      await picture(page, "trained");
      const { run: stored } = await request(page, "runs.get", { run }).then((detail) => ({ run: detail.run ?? detail }));
      must(stored.status === "finished", `the run is ${stored.status}`);
    });
    await check("a report has its figures, and the figures their texts", async () => {
      const { figures } = await request(page, "reports.describe", { of: { run } });
      must(figures.length > 0, "the report has no figures");
      const html = (await reportFile(page, run, "report.html")).toString("utf8");
      must(html.includes("<svg") && html.includes("</html>"), "report.html is not whole");
      const shares = [];
      for (const { name } of figures) {
        const [png, svg] = [await reportFile(page, run, `figures/${name}.png`), await reportFile(page, run, `figures/${name}.svg`)];
        if (options.keep) writeFileSync(join(options.keep, `figure-${name}.png`), png);
        shares.push({ name, share: await textShare(png, svg.toString("utf8")) });
      }
      const bare = shares.filter(({ share }) => share < 0.9);
      must(bare.length === 0, `figures without their texts: ${bare.map(({ name, share }) => `${name} (${(100 * share).toFixed(0)} % of the texts' pixels)`).join(", ")}`);
      return `${figures.length} figures, ${(100 * Math.min(...shares.map(({ share }) => share))).toFixed(0)} % of the texts' pixels or more`;
    });
    await check("a second start hands its file and link to the window", async () => {
      const file = join(work, "mine.hypertower");
      writeFileSync(file, JSON.stringify({ dataset: { kind: "digits" }, seed: 77 }));
      const code = await startAgain(executable, env, [file, "hypertower://storage"]);
      must(code === 0, `it ended with ${code}`);
      await page.waitForURL(/#\/storage$/);
      await page.getByTestId("opened-dialog").getByText("mine.hypertower").waitFor();
      await picture(page, "second-start");
      await page.getByTestId("opened-cancel").click();
    });
    await check("its window is as closed as the built one's", () => pageGetsOut(page));
    await check("it does not run as Node", () => runsAsNode(executable, env, work));
    await check("it takes no NODE_OPTIONS", () => takesNodeOptions(executable, env, work));
    await check("it opens no inspector", () => opensInspector(executable, env));
    await check("it closes when the system asks, with its store whole", async () => {
      const code = await app.end();
      must(code === 0, `it ended with ${code}; it wrote:\n${app.output}`);
      must(existsSync(join(work, "store", "hypertower.sqlite")), "there is no store");
    });
    await check("it runs no app in place of its archive", () => runsFolder(executable, env, work));
    const unlikely = app.output.split("\n").filter((line) => /GLib|GObject|assertion|ERR_|Unhandled/i.test(line) && !/bus\.cc|dconf|viz/.test(line));
    await check("nothing went wrong unseen", () => must(unlikely.length === 0, unlikely.slice(0, 5).join("\n")));
  } finally {
    await app?.end().catch(() => undefined);
    screen.end();
  }
}

await runMain(async () => {
  await ensureInstalled();
  if (!options.made) {
    const { words, staging } = await electronAtHand();
    console.log(`Packaging for ${options.target} with ${words}\n`);
    await makePackages({ target: options.target, dirOnly: true, ...staging });
  }
  const { folder, executable } = unpackedApp(options.target);
  const work = mkdtempSync(join(tmpdir(), "hypertower-package-"));
  try {
    await checkContent(folder);
    for (const { name, wanted, is, fits } of await readFuses(executable)) await check(`fuse ${name} is ${wanted}`, () => (must(fits, `it is ${is}`), is === wanted ? "" : is));
    const started = process.platform === "linux" && !options["no-deb"] ? await checkDeb(folder, work) : executable;
    await checkRunning(started, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
