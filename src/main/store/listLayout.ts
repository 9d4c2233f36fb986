/** SQL of the layout's sixth version: what lists show of a run, beside its JSON, so that no list reads configurations. */
export const listLayout = `
ALTER TABLE runs ADD COLUMN dataset TEXT;      -- kinds, as in 'experiment'
ALTER TABLE runs ADD COLUMN model TEXT;
ALTER TABLE runs ADD COLUMN result_name TEXT;  -- headline metric
ALTER TABLE runs ADD COLUMN result REAL;       -- its latest value; NULL before the first evaluation
`;
