/**
 * The browser of the end-to-end tests: any Chromium that is here, or the distribution's. The distribution's brings
 * SwiftShader along, a graphics device on the processor, on which WebGPU is tested (libvulkan1 is how it is found).
 */
import { existsSync } from "node:fs";
import { localNode, root, runQuietly, toolEnvironment } from "./setup.mjs";

const usualPlaces = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of a Chromium, or null. */
async function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : null;
  const usual = usualPlaces.find((path) => existsSync(path));
  if (usual) return usual;
  const ask = 'import("playwright").then(({ chromium }) => process.stdout.write(chromium.executablePath()))';
  const { code, output } = await runQuietly(localNode(), ["--input-type=module", "-e", ask], { env: toolEnvironment(), cwd: root });
  return code === 0 && existsSync(output.trim()) ? output.trim() : null;
}

function mayUseApt() {
  return process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/**
 * Finds Chromium; as root on Debian or Ubuntu installs it when it is missing.
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
