/** Every fault of the harness once. `npm run test:faults` tries them at many random moments. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allFaults } from "../../faults/allFaults.ts";
import { Frame } from "../../faults/frame.ts";
import { problemsOf } from "../../faults/outcome.ts";
import { randomOf } from "../../faults/random.ts";
import { everything } from "../../support/edition.ts";

const isBuilt = existsSync(join(import.meta.dirname, "../../../out/main/headless.js"));

describe.runIf(everything && isBuilt)("a fault", () => {
  // Shorter runs than those of the long edition.
  const frame = new Frame(60, 1);
  beforeAll(() => frame.prepare());
  afterAll(() => frame.remove());

  it.concurrent.each(allFaults.filter(({ problem }) => (problem?.() ?? null) === null).map((fault) => [fault.name, fault] as const))(
    "%s loses, damages, changes and disturbs nothing",
    async (_name, { round }) => {
      expect(problemsOf(await round(frame, randomOf(Date.now() % 1e6)))).toEqual([]);
    },
    180_000,
  );
});
