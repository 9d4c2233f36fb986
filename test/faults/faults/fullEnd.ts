/** Programs that end, or are killed, while their disk is full. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { startHost } from "../command.ts";
import { delay, type Fault } from "../frame.ts";
import { newOutcome, plainMessages } from "../outcome.ts";
import { within } from "../shimmed.ts";
import { Control, shimEnvironment, shimProblem } from "../shim/shim.ts";

const fullEnd = (name: string, signal: NodeJS.Signals): Fault => ({
  name,
  problem: shimProblem,
  async round(frame, random) {
    const outcome = newOutcome();
    const store = frame.newStore();
    const control = new Control(`${store}.control`);
    // Rows that cannot be committed are kept beside the store, or there.
    const state = { XDG_STATE_HOME: join(frame.root, "state") };
    const command = startHost(store, { train: frame.experiment }, { ...shimEnvironment({ root: store, control }), ...state });
    if (await frame.moment(command, random)) {
      control.fail("full", "", Math.floor(random() * 20_000));
      await within(10_000, () => command.isOver() || control.failures() > 0);
      await delay(500 * random());
      if (!command.isOver()) outcome.times++;
      command.signal(signal === "SIGKILL" ? "all" : "host", signal);
    }
    await command.ended;
    control.end();
    control.close();
    rmSync(control.path);
    for (const text of plainMessages(command.errors())) outcome.said.add(text);
    await frame.complete(store, command.lines, outcome, (run) => startHost(store, { resume: run }, state));
    return outcome;
  },
});

export const fullThenEnd = fullEnd("full-then-end", "SIGTERM");
export const fullThenKill = fullEnd("full-then-kill", "SIGKILL");
