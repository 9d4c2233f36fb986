/** A client of `npm run bench:fleet` in a process of its own: asks for the list of runs and for a run, and times the answers. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

export type FleetRequest = "list" | "run";

const times: { readonly [K in FleetRequest]: number[] } = { list: [], run: [] };
let isOver = false;
process.on("message", (message) => {
  if (message === "end") isOver = true;
});
while (!isOver) {
  for (const request of ["list", "run"] as const) {
    const began = performance.now();
    const answered = once(process, "message");
    process.send!({ request });
    await answered;
    times[request].push(performance.now() - began);
  }
  await pause(250);
}
process.send!({ times });
process.disconnect();
