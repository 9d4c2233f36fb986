/** What a package of the app holds besides its own bundle: native packages, for one platform and processor. */

/**
 * @typedef {object} Native
 * @property {string} name
 * @property {readonly string[]} files paths in the package's folder, each a file or a folder; `package.json` always comes along
 */

/** Platforms and processors that a package can be made for. ONNX Runtime has no build for Intel Macs. */
export const targets = ["linux-x64", "linux-arm64", "win32-x64", "win32-arm64", "darwin-arm64"];

/** Suffix of resvg's package, by target. */
const resvgSuffix = { "linux-x64": "linux-x64-gnu", "linux-arm64": "linux-arm64-gnu", "win32-x64": "win32-x64-msvc", "win32-arm64": "win32-arm64-msvc", "darwin-arm64": "darwin-arm64" };

/** Packages of pure JavaScript that native packages load themselves. */
const helpers = [
  { name: "onnxruntime-common", files: ["dist/cjs", "dist/esm"] },
  { name: "detect-libc", files: ["lib"] },
  { name: "semver", files: ["."] },
  { name: "@img/colour", files: ["."] },
];

/**
 * @param {string} target one of `targets`
 * @returns {readonly Native[]}
 */
export function nativesOf(target) {
  const [platform, processor] = target.split("-");
  const windows = platform === "win32";
  return [
    { name: "better-sqlite3", files: ["lib", `prebuilds/${target}.node`] },
    { name: "onnxruntime-node", files: ["dist", `bin/napi-v6/${platform}/${processor}`] },
    // Decodes images that a person imports. Other engines and CUDA are installed on demand.
    { name: "sharp", files: ["dist", "lib"] },
    { name: `@img/sharp-${target}`, files: ["."] },
    // On Windows, libvips is in the package above.
    ...(windows ? [] : [{ name: `@img/sharp-libvips-${target}`, files: ["."] }]),
    { name: "@resvg/resvg-js", files: ["index.js", "js-binding.js"] },
    { name: `@resvg/resvg-js-${resvgSuffix[target]}`, files: ["."] },
    ...helpers,
  ];
}

/** Packages that the bundle loads at run time instead of containing them. */
export const external = [/^node:/, "electron", "better-sqlite3", "onnxruntime-node", "onnxruntime-common", "sharp", /^@img\//, /^@resvg\//, "webgpu", /^@tensorflow\//];

/** Files that no package needs, wherever they are. */
export const isIdle = (path) => /\.(map|d\.[cm]?ts|md|markdown|flow|gyp|c|cc|cpp|h|hpp)$|(^|\/)(test|tests|__tests__|example|examples|docs|coverage|\.github)(\/|$)/i.test(path) && !/licen[cs]e|notice/i.test(path);
