/** A process that logs steps as fast as possible and prints which are committed; runs until it is killed. */
import { experiment } from "../../src/shared/experiment.ts";
import { Store } from "../../src/main/store/store.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";

const [folder = ""] = process.argv.slice(2);
const run = newRun(experiment.parse({}));
let logged = 0;
let acknowledged = 0;
const store = new Store(folder, {
  commitAfter: 1,
  onCommit: () => {
    if (logged > acknowledged) process.stdout.write(`${run.id} ${logged}\n`);
    acknowledged = logged;
  },
});
store.createRun(run);
store.beginSeries(run.id, ["loss", "L0.alpha"], { hypertower: "", node: "", platform: "", cpu: "", libraries: {}, gitCommit: null });

setInterval(() => {
  const count = 37;
  const values = Float64Array.from({ length: 2 * count }, (_, i) => logged + (i >> 1));
  store.appendRows(run.id, { firstStep: logged, count, values });
  logged += count;
  store.saveRun({ ...run, status: "running", steps: logged });
}, 1);
