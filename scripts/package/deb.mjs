/** Makes a .deb of an unpacked app with dpkg-deb alone, which every Debian and Ubuntu has: nothing is downloaded. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, SetupError } from "../setup.mjs";
import { fileType, linkScheme } from "./electron-builder.mjs";
import { sizes } from "./icons.mjs";

const processors = { "linux-x64": "amd64", "linux-arm64": "arm64" };

/** Libraries that Electron links to; the alternatives are names that newer systems use. */
const depends = [
  "libgtk-3-0 | libgtk-3-0t64",
  "libnss3",
  "libnotify4",
  "libxss1",
  "libxtst6",
  "libasound2 | libasound2t64",
  "libgbm1",
  "libatspi2.0-0 | libatspi2.0-0t64",
  "libsecret-1-0",
  "libuuid1",
  "xdg-utils",
];

export const desktopEntry = `[Desktop Entry]
Name=Hypertower
GenericName=Experiment workbench
Comment=Train towers of optimizers whose hyperparameters are learned
Exec=/opt/Hypertower/hypertower %U
Icon=hypertower
Type=Application
Terminal=false
StartupWMClass=Hypertower
Categories=Science;Education;
MimeType=${fileType.mimeType};x-scheme-handler/${linkScheme};
`;

export const mimeInfo = `<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="${fileType.mimeType}">
    <comment>${fileType.name}</comment>
    <icon name="hypertower"/>
    <glob pattern="*.${fileType.ext}"/>
  </mime-type>
</mime-info>
`;

/** The sandbox's helper needs its owner's rights only where the kernel refuses namespaces to ordinary users. */
const afterInstall = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if unshare --user true 2>/dev/null; then chmod 0755 /opt/Hypertower/chrome-sandbox; else chmod 4755 /opt/Hypertower/chrome-sandbox; fi
  update-mime-database /usr/share/mime >/dev/null 2>&1 || true
  update-desktop-database -q /usr/share/applications >/dev/null 2>&1 || true
  gtk-update-icon-cache -q -f /usr/share/icons/hicolor >/dev/null 2>&1 || true
fi
`;

const afterRemoval = `#!/bin/sh
set -e
update-mime-database /usr/share/mime >/dev/null 2>&1 || true
update-desktop-database -q /usr/share/applications >/dev/null 2>&1 || true
`;

/**
 * @param {{ app: string, target: string, output: string, work: string }} options `app` is the unpacked app, `work` an empty folder
 * @returns {string} path of the package
 */
export function makeDeb({ app, target, output, work }) {
  const processor = processors[target];
  if (!processor) throw new SetupError(`A .deb is made for ${Object.keys(processors).join(" and ")}, not for ${target}.`);
  const { version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  rmSync(work, { recursive: true, force: true });
  const put = (path, text, mode = 0o644) => {
    mkdirSync(join(work, path, ".."), { recursive: true });
    writeFileSync(join(work, path), text);
    chmodSync(join(work, path), mode);
  };
  mkdirSync(join(work, "opt"), { recursive: true });
  cpSync(app, join(work, "opt", "Hypertower"), { recursive: true });
  readableByAll(join(work, "opt"));
  const link = join(work, "usr", "bin", "hypertower-desktop");
  mkdirSync(join(link, ".."), { recursive: true });
  symlinkSync("/opt/Hypertower/hypertower", link);
  put("usr/share/applications/hypertower.desktop", desktopEntry);
  put("usr/share/mime/packages/hypertower.xml", mimeInfo);
  for (const size of sizes) put(`usr/share/icons/hicolor/${size}x${size}/apps/hypertower.png`, readFileSync(join(root, "scripts", "package", "icons", `${size}x${size}.png`)));
  put("usr/share/doc/hypertower/copyright", readFileSync(join(app, "resources", "resources", "LICENSE")));
  put(
    "DEBIAN/control",
    `Package: hypertower
Version: ${version}
Section: science
Priority: optional
Architecture: ${processor}
Installed-Size: ${Math.ceil(bytesOf(work) / 1024)}
Depends: ${depends.join(", ")}
Maintainer: The Hypertower authors <hypertower@users.noreply.github.com>
Description: Workbench for towers of hyperoptimizers
 ${description}
`,
  );
  put("DEBIAN/postinst", afterInstall, 0o755);
  put("DEBIAN/postrm", afterRemoval, 0o755);
  const file = join(output, `hypertower_${version}_${processor}.deb`);
  mkdirSync(output, { recursive: true });
  const { status, stderr, error } = spawnSync("dpkg-deb", ["--build", "--root-owner-group", "-Zxz", work, file], { encoding: "utf8" });
  if (status !== 0) throw new SetupError(`dpkg-deb failed: ${error?.message ?? stderr}`);
  rmSync(work, { recursive: true, force: true });
  return file;
}

/** Bytes of a file or folder; links count nothing. */
export function bytesOf(path) {
  if (!existsSync(path)) return 0;
  const info = lstatSync(path);
  if (info.isSymbolicLink()) return 0;
  return info.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0) : info.size;
}

/** The builder's own mask must not decide who may start the app. */
function readableByAll(path) {
  const info = lstatSync(path);
  if (info.isSymbolicLink()) return;
  chmodSync(path, info.isDirectory() || info.mode & 0o100 ? 0o755 : 0o644);
  if (info.isDirectory()) for (const name of readdirSync(path)) readableByAll(join(path, name));
}

