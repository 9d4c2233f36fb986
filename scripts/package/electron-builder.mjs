/** The one configuration of electron-builder, for all systems. `scripts/package/index.mjs` calls it with what `stage.mjs` laid out. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../setup.mjs";

export const appId = "org.hypertower.app";
const icons = join(root, "scripts", "package", "icons");

/**
 * Switches in the app's executable. Trainers and imports are utility processes, so nothing needs to run it as Node.
 * `scripts/package/fuses.mjs` reads them back from the finished package.
 */
export const fuses = {
  runAsNode: false,
  enableCookieEncryption: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  enableEmbeddedAsarIntegrityValidation: true,
  onlyLoadAppFromAsar: true,
  loadBrowserProcessSpecificV8Snapshot: false,
  grantFileProtocolExtraPrivileges: false,
};

/** The fuses that an Electron of this version has; undefined is the installed one. */
function fusesOf(version) {
  const { grantFileProtocolExtraPrivileges: _later, ...first } = fuses;
  return version !== undefined && Number.parseInt(version, 10) < 29 ? first : fuses;
}

/** Files that the app opens, and links to it. */
export const fileType = { ext: "hypertower", name: "Hypertower experiment, study or run", mimeType: "application/x-hypertower" };
export const linkScheme = "hypertower";

/**
 * @param {{ electronDist?: string, electronVersion?: string }} [electron] an unpacked Electron to use instead of a download
 * @returns {import("electron-builder").Configuration}
 */
export function builderConfiguration(electron = {}) {
  return {
    appId,
    productName: "Hypertower",
    copyright: "MIT License",
    ...electron,
    directories: { app: join(root, "out", "package", "app"), output: join(root, "out", "package", "dist"), buildResources: icons },
    npmRebuild: false,
    nodeGypRebuild: false,
    asar: true,
    // Electron's own page for folders that hold no app.
    afterPack: ({ packager, appOutDir }) => rm(join(packager.getResourcesDir(appOutDir), "default_app.asar"), { force: true }),
    // Native code and WebAssembly are opened by path, which an archive cannot answer.
    asarUnpack: ["**/*.{node,so,so.*,dylib,dll,wasm}"],
    files: ["**/*"],
    extraResources: [{ from: join(root, "out", "package", "resources"), to: "resources" }],
    electronLanguages: ["en-US"],
    electronFuses: fusesOf(electron.electronVersion),
    artifactName: "Hypertower-${version}-${os}-${arch}.${ext}",
    fileAssociations: [{ ...fileType, description: fileType.name, role: "Editor", icon: join(icons, "icon") }],
    protocols: [{ name: "Hypertower", schemes: [linkScheme] }],
    publish: null,
    linux: {
      target: ["AppImage", "rpm", "tar.gz"],
      executableName: "hypertower",
      icon: icons,
      category: "Science",
      maintainer: "The Hypertower authors <hypertower@users.noreply.github.com>",
      vendor: "The Hypertower authors",
      synopsis: "Workbench for towers of hyperoptimizers",
      mimeTypes: [`x-scheme-handler/${linkScheme}`],
    },
    win: { target: ["nsis"], icon: join(icons, "icon.ico"), legalTrademarks: "" },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true, deleteAppDataOnUninstall: false, license: join(root, "LICENSE") },
    mac: {
      target: ["dmg", "zip"],
      icon: join(icons, "icon.icns"),
      category: "public.app-category.developer-tools",
      hardenedRuntime: true,
      gatekeeperAssess: false,
      minimumSystemVersion: "12.0",
      entitlements: join(root, "scripts", "package", "entitlements.mac.plist"),
      entitlementsInherit: join(root, "scripts", "package", "entitlements.mac.plist"),
      // Notarization runs where APPLE_ID and its companions are set.
      notarize: Boolean(process.env.APPLE_ID && process.env.APPLE_APP_SPECIFIC_PASSWORD && process.env.APPLE_TEAM_ID),
      // Without a certificate the app is signed for the machine alone: processors of Apple's run nothing unsigned.
      ...(process.env.CSC_LINK ? {} : { identity: "-" }),
    },
  };
}
