/** An engine of which that is said trains to the same bits again: an MLP, a CNN and an LSTM. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { engineFacts } from "../../src/shared/engines.ts";
import { presentEngines } from "../support/engines.ts";
import { modelCases } from "../support/modelProblems.ts";
import { trained, trainedModel } from "../support/parity.ts";
import { stacks } from "../support/stacks.ts";

describe.each(presentEngines.filter((kind) => engineFacts[kind].deterministic === true))("%s", (kind) => {
  it.each(["AMSGrad / squared SGD", "AdaGrad / RMSProp / SGD"])("an MLP under %s", async (name) => {
    const engine = await loadEngine[kind]();
    expect(await trained(engine, stacks[name]!, 20)).toEqual(await trained(engine, stacks[name]!, 20));
  });

  it.each(["CNN with batch normalization, Adam / SGD", "LSTM, Adam / SGD"])("%s", async (name) => {
    const engine = await loadEngine[kind]();
    expect(await trainedModel(engine, modelCases[name]!, 8)).toEqual(await trainedModel(engine, modelCases[name]!, 8));
  });
});
