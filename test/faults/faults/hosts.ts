/** Several hosts that train into one store, and resume the same runs at the same moment, while one of them is killed or stopped. */
import { startHost, type Command, type Line } from "../command.ts";
import { delay, type Fault } from "../frame.ts";
import { newOutcome, plainMessages } from "../outcome.ts";

const hosts = (count: number): Fault => ({
  name: `hosts-${count}`,
  async round(frame, random) {
    const outcome = newOutcome();
    const store = frame.newStore();
    const told: Line[] = [];
    const finish = async (commands: readonly Command[]) => {
      await Promise.all(commands.map(({ ended }) => ended));
      for (const { lines, errors } of commands) {
        told.push(...lines);
        for (const text of plainMessages(errors())) outcome.said.add(text);
      }
    };
    const strike = async (commands: readonly Command[]) => {
      const struck = commands[Math.floor(random() * commands.length)]!;
      if (!(await frame.moment(struck, random))) return;
      outcome.times++;
      if (random() < 0.5) return struck.signal("all", "SIGKILL");
      struck.signal("all", "SIGSTOP");
      await delay(2_000);
      struck.signal("all", "SIGCONT");
    };
    const first = Array.from({ length: count }, () => startHost(store, { train: frame.experiment }));
    await Promise.all([strike(first), strike(first)]);
    await finish(first);
    // The rest is resumed one by one.
    for (let round = 0; round < frame.blows; round++) {
      const open = (await frame.check(store, told, outcome)).filter(({ status }) => status !== "finished");
      if (open.length === 0) break;
      // Every host wants the same run: one gets it.
      const { id } = open[Math.floor(random() * open.length)]!;
      const rivals = Array.from({ length: count }, () => startHost(store, { resume: id }));
      await strike(rivals);
      await finish(rivals);
      const winners = rivals.filter(({ lines }) => lines.some(({ type, run }) => type === "finished" && run === id));
      if (winners.length > 1) outcome.different.push(`${store}: run ${id} was finished by ${winners.length} hosts`);
    }
    await frame.complete(store, told, outcome);
    return outcome;
  },
});

export const hostFaults: readonly Fault[] = [hosts(2), hosts(5)];
