import { expect, it } from "vitest";
import { csvLine } from "../../../src/main/reports/report/csv.ts";

it("keeps spreadsheets from computing a text, and numbers as they are", () => {
  expect(csvLine(['=HYPERLINK("http://x")', "+1", "-2", "@a", "\tb", "plain", -3, 1e-7, NaN, null, 'say "a"'])).toBe(
    `"'=HYPERLINK(""http://x"")",'+1,'-2,'@a,'\tb,plain,-3,1e-7,nan,,"say ""a"""\n`,
  );
});
