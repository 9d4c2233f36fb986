/**
 * `readOnlyStores ACCOUNT FOLDER...`: opens each store as another account (a number; 0: as this one), reads its latest run,
 * tries to change it, and prints what happened as lines of JSON.
 */
import Database from "better-sqlite3";
import { Store } from "../../src/main/store/store.ts";

const [account = "0", ...folders] = process.argv.slice(2);
// Loads the native module while this account may still read it.
new Database(":memory:").close();
if (account !== "0") {
  process.setgid?.(Number(account));
  process.setuid?.(Number(account));
}
for (const folder of folders) {
  try {
    const store = new Store(folder, { log: { warn: (text) => console.error(text), error: (text) => console.error(text) } });
    const run = store.latestRun()!;
    let refused = "";
    try {
      store.renameRun(run, "changed");
    } catch (error) {
      refused = String(error);
    }
    console.log(JSON.stringify({ readOnly: store.readOnly, name: store.listRuns()[0]!.name, steps: [...store.readSteps(run)].length, refused }));
    store.close();
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
