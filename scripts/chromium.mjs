/**
 * Finds or installs the Chromium of the end-to-end tests. The distribution's package includes SwiftShader, a graphics
 * device on the processor for tests of WebGPU; libvulkan1 is needed to find it.
 */
import { existsSync } from "node:fs";
import { localNode, root, runQuietly, toolEnvironment } from "./setup.mjs";

const standardPaths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of a Chromium, or null. */
async function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : null;
  const installed = standardPaths.find((path) => existsSync(path));
  if (installed) return installed;
  const script = 'import("playwright").then(({ chromium }) => process.stdout.write(chromium.executablePath()))';
  const { code, output } = await runQuietly(localNode(), ["--input-type=module", "-e", script], { env: toolEnvironment(), cwd: root });
  return code === 0 && existsSync(output.trim()) ? output.trim() : null;
}

function mayUseApt() {
  return process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/**
 * Finds Chromium; as root on Debian or Ubuntu, installs it if it is missing.
 * @returns {Promise<{ path: string | null, problem: string | null }>} the problem says what to install
 */
export async function ensureChromium() {
  const present = await findChromium();
  if (present) return { path: present, problem: null };
  if (process.env.CHROMIUM_PATH) return { path: null, problem: `CHROMIUM_PATH names ${process.env.CHROMIUM_PATH}, which does not exist.` };
  const advice = "Install Chromium (Debian: apt-get install chromium; elsewhere: npx playwright install chromium), or name one in CHROMIUM_PATH.";
  if (!mayUseApt()) return { path: null, problem: `There is no Chromium for the end-to-end tests. ${advice}` };
  process.stderr.write("Installing Chromium (apt-get) …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await runQuietly("apt-get", ["update", "-qq"], { env });
  const { output } = await runQuietly("apt-get", ["install", "-y", "--no-install-recommends", "chromium", "libvulkan1"], { env });
  const installed = await findChromium();
  process.stderr.write(installed ? " done\n" : " failed\n");
  if (installed) return { path: installed, problem: null };
  return { path: null, problem: `apt-get could not install Chromium:\n${output.trim().split("\n").slice(-3).join("\n")}\n${advice}` };
}
