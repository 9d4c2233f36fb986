/** The time of day jumps while a run is trained. */
import type { Fault } from "../frame.ts";
import { outlast } from "../shimmed.ts";
import { shimProblem } from "../shim/shim.ts";

const day = 24 * 60 * 60;

const jump = (name: string, seconds: number): Fault => ({
  name,
  problem: shimProblem,
  round: (frame, random) =>
    outlast(frame, random, (_, control) => ({
      begin: (command) => {
        control.setClock(seconds);
        return Promise.resolve(!command.isOver());
      },
      end: () => control.setClock(0),
    })),
});

export const clockForward = jump("clock-forward", day);
export const clockBack = jump("clock-back", -day);
