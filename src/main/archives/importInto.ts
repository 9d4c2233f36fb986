/** Imports an archive into a store in this thread. */
import { Receiver } from "../store/receiver.ts";
import { Archive } from "./read.ts";
import { takeIn, type Report } from "./takeIn.ts";

/** @throws ArchiveError or StoreError; the store is then unchanged */
export async function importInto(path: string, folder: string): Promise<Report> {
  const archive = await Archive.open(path);
  try {
    // A refused archive creates no store.
    const receiver = new Receiver(folder);
    try {
      return takeIn(receiver, folder, { studies: archive.studies, runs: archive.runs, from: path });
    } finally {
      receiver.close();
    }
  } finally {
    archive.close();
  }
}
