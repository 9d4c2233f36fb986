/** Reads fuses back from a finished package. */
import { FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { fuses } from "./electron-builder.mjs";

/** Names of electron-builder's options, as @electron/fuses knows them. */
const optionOf = {
  runAsNode: FuseV1Options.RunAsNode,
  enableCookieEncryption: FuseV1Options.EnableCookieEncryption,
  enableNodeOptionsEnvironmentVariable: FuseV1Options.EnableNodeOptionsEnvironmentVariable,
  enableNodeCliInspectArguments: FuseV1Options.EnableNodeCliInspectArguments,
  enableEmbeddedAsarIntegrityValidation: FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
  onlyLoadAppFromAsar: FuseV1Options.OnlyLoadAppFromAsar,
  loadBrowserProcessSpecificV8Snapshot: FuseV1Options.LoadBrowserProcessSpecificV8Snapshot,
  grantFileProtocolExtraPrivileges: FuseV1Options.GrantFileProtocolExtraPrivileges,
};

/** A fuse's byte in the executable. */
const words = { 0x30: "off", 0x31: "on", 0x72: "removed by Electron", 0x90: "inherited" };

/**
 * @param {string} executable of the packaged app
 * @returns {Promise<readonly { name: string, wanted: string, is: string, fits: boolean }[]>} an Electron may lack a fuse that later ones have
 */
export async function readFuses(executable) {
  const wire = await getCurrentFuseWire(executable);
  return Object.entries(fuses).map(([name, on]) => {
    const state = wire[optionOf[name]];
    const wanted = on ? "on" : "off";
    const is = state === undefined ? "not in this Electron" : (words[state] ?? `unknown (${state})`);
    return { name, wanted, is, fits: state === undefined || is === wanted };
  });
}
