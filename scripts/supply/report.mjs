/** Prints the outcome of a check. @returns {number} how many problems it has */
export function report(what, problems, remarks = []) {
  console.log(`${problems.length === 0 ? "✓" : "✗"} ${what}`);
  for (const problem of problems) console.log(`  ${problem}`);
  for (const remark of remarks) console.log(`  (${remark})`);
  return problems.length;
}
