/** Checks the imported networks of a store: rows, files, and the runs that train them. Only reads. */
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/verification.ts";
import { decodeDescription } from "../../core/networks/file.ts";
import { networkFile, networksFolder, readNetworkFile } from "../../core/networks/folder.ts";
import { networkFilesIn } from "../../core/networks/stored.ts";
import { recordedNetworks, type RecordedNetworks } from "../store/networks.ts";
import { damageAdvice } from "../store/verify/findings.ts";

export async function checkNetworks(folder: string, path: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (hash: string, problem: string, meaning: string, advice: string, severity: Finding["severity"] = "damage") =>
    findings.push({ part: "network", severity, run: null, study: null, where: networkFile(networksFolder(folder), hash), problem, meaning, advice });
  let recorded: RecordedNetworks;
  try {
    recorded = recordedNetworks(path);
  } catch (error) {
    findings.push({ part: "network", severity: "damage", run: null, study: null, where: path, problem: messageOf(error), meaning: "The list of imported networks cannot be read.", advice: damageAdvice });
    return findings;
  }
  const { known, trained } = recorded;
  const files = networkFilesIn(folder);
  const [unusable, again] = ["Runs of this network cannot be resumed, and nothing can be predicted with it.", "Import the network again, or restore its file from a backup."];
  for (const hash of files) {
    try {
      const bytes = await readNetworkFile(networksFolder(folder), hash);
      decodeDescription(bytes, bytes.length);
      if (!known.has(hash)) add(hash, "the store lists no such network", "It takes space and nothing can train it.", `"hypertower doctor --repair" sets it aside.`, "warning");
    } catch (error) {
      add(hash, messageOf(error), unusable, again);
    }
  }
  for (const hash of known) if (!files.includes(hash)) add(hash, "the file is missing", unusable, again);
  for (const hash of trained) if (!known.has(hash)) add(hash, "runs train it, and the store does not have it", unusable, "Import the network again.", "warning");
  return findings;
}
