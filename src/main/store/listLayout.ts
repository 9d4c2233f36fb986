/** SQL of layout version 6: columns for lists of runs, so that lists need not parse experiments. */
export const listLayout = `
ALTER TABLE runs ADD COLUMN dataset TEXT;      -- kinds, as in 'experiment'
ALTER TABLE runs ADD COLUMN model TEXT;
ALTER TABLE runs ADD COLUMN result_name TEXT;  -- headline metric
ALTER TABLE runs ADD COLUMN result REAL;       -- its latest value; NULL before the first evaluation
`;
