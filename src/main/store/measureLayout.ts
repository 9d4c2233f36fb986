/** SQL of layout version 3: measures of regression and of validation examples in evaluations. */
export const measureLayout = `
ALTER TABLE evaluations ADD COLUMN test_rmse REAL;         -- of a quantity, in its own unit
ALTER TABLE evaluations ADD COLUMN test_mae REAL;
ALTER TABLE evaluations ADD COLUMN validation_loss REAL;
ALTER TABLE evaluations ADD COLUMN validation_error REAL;  -- percent
ALTER TABLE evaluations ADD COLUMN validation_rmse REAL;
ALTER TABLE evaluations ADD COLUMN validation_mae REAL;

-- The latest evaluation.
ALTER TABLE runs ADD COLUMN evaluation TEXT CHECK (json_valid(evaluation));
`;
