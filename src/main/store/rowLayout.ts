/** SQL of layout version 5: which rows of `runs` were validated when written, and an index for lists. */
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
 * Version of the JSON in rows of `runs`. Raise it with every change of the schema of experiments,
 * evaluations or hyperparameters, and of the columns that lists read: rows of other versions are
 * parsed with the schemas. Version 2 added the columns of lists.
 */
export const rowLayout = 2;

/** Oldest version whose JSON equals the current one and was validated when written. */
export const checkedSince = 1;
