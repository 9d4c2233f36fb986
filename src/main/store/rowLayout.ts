/** SQL of the layout's fifth version: which rows of `runs` were checked when they were written, and an index for lists. */
export const rowLayoutMigration = `
-- Version of the JSON in this row that was checked when it was written; 0 for a row that must be checked when it is read.
ALTER TABLE runs ADD COLUMN layout INTEGER NOT NULL DEFAULT 0;

-- An experiment changed by another program is checked again.
CREATE TRIGGER runs_experiment_edited AFTER UPDATE OF experiment ON runs
WHEN new.experiment IS NOT old.experiment AND new.layout = old.layout AND new.layout <> 0
BEGIN
  UPDATE runs SET layout = 0 WHERE id = new.id;
END;

CREATE INDEX runs_by_layout ON runs (layout);
CREATE INDEX runs_listed ON runs ((deleted_at IS NOT NULL), created_at, id);
`;

/**
 * Version of the JSON that this Hypertower writes into a row of `runs`. Raise it with every change of the experiment's,
 * the evaluation's or the hyperparameters' schema, and of the columns that lists read: rows of other versions are
 * read through the schemas. Version 2 added what lists show.
 */
export const rowLayout = 2;

/** Versions whose JSON is the one of today, checked when it was written. */
export const checkedSince = 1;
