/** Datasets that come with Hypertower are recognized by the checksums that a coordinator sends. */
import { expect, it } from "vitest";
import { fingerprintsOf } from "../../../src/main/archives/fingerprints.ts";
import { abilityCheck } from "../../../src/main/fleet/worker/abilities.ts";
import { machine, makeUnit, tiny } from "../../support/fleet/units.ts";

it.each(["digits", "iris"])("%s", (kind) => {
  const { needs } = makeUnit("unit-1", [[["run-1", tiny(1)]]]);
  const check = abilityCheck({ machine, data: "/nowhere" });
  const files = fingerprintsOf(kind);
  expect(files).not.toEqual([]);
  expect(check({ needs: { ...needs, dataset: { kind, title: kind, files } } })).toBeNull();
  expect(check({ needs: { ...needs, dataset: { kind, title: kind, files: files.map(({ name, digest }) => ({ name, digest: digest.replace(/.$/, (last) => (last === "0" ? "1" : "0")) })) } } })).toContain("its checksum is");
});
