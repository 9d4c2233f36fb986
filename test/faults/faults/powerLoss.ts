/** Power cuts at random points of recorded commands. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Fault, Frame } from "../frame.ts";
import { cut } from "../powerloss/judge.ts";
import { files, record, trainings, type Recorded, type Recording } from "../powerloss/record.ts";
import { shimProblem } from "../shim/shim.ts";

/** Recording is slow, cutting is not. */
const cutsPerRecording = 40;

function powerLoss(name: string, commands: readonly Recorded[]): Fault {
  const recordings = new WeakMap<Frame, { readonly recording: Recording; cuts: number }>();
  return {
    name,
    problem: shimProblem,
    async round(frame, random) {
      let used = recordings.get(frame);
      if (!used || used.cuts === cutsPerRecording) {
        const folder = frame.newFolder();
        mkdirSync(folder);
        recordings.set(frame, (used = { recording: await record(folder, frame.experiment, commands), cuts: 0 }));
      }
      used.cuts++;
      const { recording } = used;
      return cut(recording, moment(recording, random), join(frame.newFolder(), ""), random);
    },
  };
}

/** A random number of entries. Each command is as likely to be cut as another, however much it writes. */
function moment({ entries }: Recording, random: () => number): number {
  const ends = entries.flatMap(({ kind, data }, i) => (kind === "said" && data.includes('"type":"done"') ? [i + 1] : []));
  const which = Math.floor(random() * ends.length);
  const begin = which === 0 ? 0 : ends[which - 1]!;
  const end = ends[which]!;
  // Now and then right after an acknowledgment: what follows it may not be needed for it.
  return random() < 0.2 ? end : begin + Math.ceil((end - begin) * random());
}

export const powerLossTraining = powerLoss("power-loss-training", trainings);
export const powerLossFiles = powerLoss("power-loss-files", files);
