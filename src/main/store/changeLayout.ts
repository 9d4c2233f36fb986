/** SQL of layout version 7: numbers changes of rows, so that other processes read only new ones. */
const shown = [
  "name", "status", "reason", "device", "started_at", "finished_at", "deleted_at", "steps", "total_steps", "epoch", "samples_per_second",
  "seconds_left", "loss", "test_error", "evaluation", "hyperparameters", "experiment", "owner_token", "study", "pruned",
];
const shownOfStudies = ["name", "status", "reason", "started_at", "finished_at", "deleted_at", "total", "workers", "definition", "owner_token"];

/** Gives a row the table's next change number. Writers take turns, so a reader that has seen a number has seen all lower ones. */
export const changeNumber = (table: string, id: string, highest: string) => `UPDATE ${table} SET changed = (SELECT ${highest} + 1 FROM ${table}) WHERE id = ${id};`;

/** @param highest SQL of the highest number given out so far, by table */
export const changeTriggers = (highest: { readonly runs: string; readonly studies: string }) => `
CREATE TRIGGER runs_counted_new AFTER INSERT ON runs BEGIN ${changeNumber("runs", "new.id", highest.runs)} END;
CREATE TRIGGER runs_counted AFTER UPDATE OF ${shown.join(", ")} ON runs BEGIN ${changeNumber("runs", "new.id", highest.runs)} END;
CREATE TRIGGER runs_counted_event AFTER INSERT ON run_events BEGIN ${changeNumber("runs", "new.run", highest.runs)} END;
CREATE TRIGGER studies_counted_new AFTER INSERT ON studies BEGIN ${changeNumber("studies", "new.id", highest.studies)} END;
CREATE TRIGGER studies_counted AFTER UPDATE OF ${shownOfStudies.join(", ")} ON studies BEGIN ${changeNumber("studies", "new.id", highest.studies)} END;
`;

export const dropChangeTriggers = ["runs_counted_new", "runs_counted", "runs_counted_event", "studies_counted_new", "studies_counted"].map((name) => `DROP TRIGGER ${name};`).join("\n");

export const changeLayout = `
ALTER TABLE runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE studies ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_changed ON runs (changed);
CREATE INDEX studies_changed ON studies (changed);
${changeTriggers({ runs: "max(changed)", studies: "max(changed)" })}`;
