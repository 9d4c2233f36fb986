/**
 * `npm run bench:agreement`: how far each engine of this machine is from the float64 reference, beside what the
 * parity tests tolerate. Without a graphics card WebGPU runs on SwiftShader, where it is, and takes minutes.
 */
import "../support/softwareGraphics.ts";
import { parseArgs } from "node:util";
import type { OpName } from "../../src/core/program/node.ts";
import { loadEngine } from "../../src/core/engines/index.ts";
import { operations } from "../../src/core/program/operations/index.ts";
import { engineKinds, type EngineKind } from "../../src/shared/engines.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { modelCases } from "../support/modelProblems.ts";
import { modelAgreement, operationDifference, stackAgreement, tolerances, type Agreement } from "../support/parity.ts";
import { stacks } from "../support/stacks.ts";

const { values } = parseArgs({ options: { engines: { type: "string", default: engineKinds.filter((kind) => kind !== "reference").join(",") } } });

const columns = ["operation", "stack", "stackState", "model", "modelState"] as const;
const line = (cells: readonly string[]) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(24))).join(""));
line(["", ...columns]);
line(["tolerated", ...columns.map((column) => tolerances[column].toExponential())]);

interface Worst {
  value: number;
  of: string;
}
const worse = (worst: Worst, value: number, of: string): Worst => (value > worst.value ? { value, of } : worst);
const none: Worst = { value: 0, of: "" };

async function worstOf(cases: readonly string[], agreement: (name: string) => Promise<Agreement>): Promise<[values: Worst, state: Worst]> {
  let [ofValues, ofState] = [none, none];
  for (const name of cases) {
    const { values, state } = await agreement(name);
    ofValues = worse(ofValues, values, name);
    ofState = worse(ofState, state, name);
  }
  return [ofValues, ofState];
}

for (const kind of values.engines.split(",") as EngineKind[]) {
  const engine = await loadEngine[kind]().catch((error: unknown) => console.log(messageOf(error)));
  if (!engine) continue;
  let operation = none;
  for (const op of Object.keys(operations) as OpName[]) operation = worse(operation, await operationDifference(engine, op), op);
  const ofStacks = await worstOf(Object.keys(stacks), (name) => stackAgreement(engine, stacks[name]!, 30));
  const ofModels = await worstOf(Object.keys(modelCases), (name) => modelAgreement(engine, modelCases[name]!, 12));
  const all = [operation, ...ofStacks, ...ofModels];
  line([kind, ...all.map(({ value }) => value.toExponential(1))]);
  line(["", ...all.map(({ of }) => of.slice(0, 23))]);
}
