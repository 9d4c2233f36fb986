/** The editor of schedules: kinds, pieces, the picture, errors at their fields, and drafts. */
import { expect, it } from "vitest";
import { defineComponent, h, ref } from "vue";
import SettingsFields from "@/components/tower/SettingsFields.vue";
import { provideRunLength } from "@/components/tower/runLength.ts";
import { levelLocation } from "@/components/tower/settingsLocation.ts";
import { defaultDraft, experimentOf, runLengthOf, serializeDraft, storedDraft, validateDraft } from "@/lib/draft.ts";
import { duplicateLevel, fromTower, newLevel, toTower, withOptimizer, type DraftLevel } from "@/lib/towerEdits.ts";
import { optionsOf as optionsOfOptimizer } from "@shared/levelOptions.ts";
import { tower } from "@shared/tower.ts";
import { byTestid, choose, click, hasTestid, mountPart, type } from "./support.ts";

function editor(initial: DraftLevel, index = 0, errors = new Map<string, string>()) {
  const level = ref(initial);
  const host = defineComponent({
    setup: () => {
      provideRunLength(() => ({ stepsPerEpoch: 100, totalSteps: 500 }));
      return () =>
        h(SettingsFields, { settings: level.value, place: levelLocation(index), isTop: true, options: optionsOfOptimizer(level.value.optimizer), onChange: (how: (level: DraftLevel) => DraftLevel) => (level.value = how(level.value)) });
    },
  });
  return { wrapper: mountPart(host, { errors: () => errors }), written: () => toTower([level.value])[0]!["schedules"] };
}

it("schedules a hyperparameter, piece by piece", async () => {
  const { wrapper, written } = editor(newLevel("sgd", { alpha: 0.5 }));
  expect(written()).toBeUndefined();
  await click(wrapper, "stack-level-0-schedules");
  await choose(wrapper, "stack-level-0-schedules-add", "α, Step size");
  expect(written()).toEqual({ alpha: { unit: "epochs", pieces: [{ kind: "cosine", until: null, from: 1, to: 0 }] } });
  expect(byTestid(wrapper, "stack-level-0-schedules-alpha-picture").text()).toBe("at most 0.5, 4.93e-6 after 5 epochs");

  const id = "stack-level-0-schedules-alpha";
  await choose(wrapper, `${id}-0-kind`, "Warm-up");
  await click(wrapper, `${id}-add`);
  await choose(wrapper, `${id}-1-kind`, "Step");
  await type(wrapper, `${id}-1-at`, "2, 4.5");
  await type(wrapper, `${id}-1-factor`, "0.5");
  await choose(wrapper, `${id}-unit`, "in steps");
  expect(written()).toEqual({
    alpha: { unit: "steps", pieces: [{ kind: "warmUp", until: 1, from: 0, to: 1 }, { kind: "step", until: null, from: 1, factor: 0.5, at: [2, 4.5] }] },
  });
  expect(byTestid(wrapper, `${id}-picture`).get("polyline").attributes("points")).toMatch(/^3\.0,69\.0 /);
  expect(tower.parse([{ optimizer: "sgd", schedules: written() }])[0]!.schedules).toEqual(written());

  await click(wrapper, `${id}-0-remove`);
  expect((written() as { alpha: { pieces: unknown[] } }).alpha.pieces).toHaveLength(1);
  await click(wrapper, `${id}-remove`);
  expect(written()).toBeUndefined();
});

it("takes shares of the run, into which it converts what was in epochs and back", async () => {
  const { wrapper, written } = editor(newLevel("sgd", { alpha: 0.5 }, { schedules: { alpha: { unit: "epochs", pieces: [{ kind: "step", until: 2.5, fields: { from: 1, factor: 0.1 }, at: "1, 2" }, { kind: "cosine", until: "", fields: { from: 1, to: 0 }, at: "" }] } } }));
  const id = "stack-level-0-schedules-alpha";
  const points = () => byTestid(wrapper, `${id}-picture`).get("polyline").attributes("points");
  const before = points();
  await choose(wrapper, `${id}-unit`, "in shares of the run");
  expect(written()).toMatchObject({ alpha: { unit: "shares", pieces: [{ until: 0.5, at: [0.2, 0.4] }, { until: null }] } });
  expect(points()).toBe(before);
  expect(byTestid(wrapper, `${id}-picture`).text()).toMatch(/^at most 0\.5, \S+ at the end of the run$/);
  expect(wrapper.text()).toContain("Until (shares of the run)");
  await click(wrapper, `${id}-add`);
  expect(written()).toMatchObject({ alpha: { pieces: [{ until: 0.5 }, { until: 0.75 }, { until: null }] } });
  expect(tower.parse([{ optimizer: "sgd", schedules: written() }])[0]!.schedules).toEqual(written());
  await choose(wrapper, `${id}-unit`, "in steps");
  expect(written()).toMatchObject({ alpha: { unit: "steps", pieces: [{ until: 250, at: [100, 200] }, { until: 375 }, {}] } });
});

it("shows errors at their fields, and no picture of what is not valid", async () => {
  const level = newLevel("sgd", {}, { schedules: { alpha: { unit: "epochs", pieces: [{ kind: "linear", until: "soon", fields: { from: 1, to: 0 }, at: "" }] } } });
  const message = "until must be a number of the schedule's unit";
  const { wrapper } = editor(level, 0, new Map([["tower.0.schedules.alpha.pieces.0.until", message]]));
  expect(byTestid(wrapper, "stack-level-0-schedules-alpha").text()).toContain(message);
  expect(byTestid(wrapper, "stack-level-0-schedules-alpha-0-until").attributes("aria-invalid")).toBe("true");
  expect(byTestid(wrapper, "stack-level-0-schedules-alpha-picture").text()).toBe("The picture appears once the schedule and the experiment are valid.");
});

it("is for the first level: others offer none, but show what was moved up to them, with its error", () => {
  expect(hasTestid(editor(newLevel("sgd"), 1).wrapper, "stack-level-1-schedules")).toBe(false);
  const scheduled = fromTower(tower.parse([{ optimizer: "sgd", schedules: { alpha: "cosine" } }]))[0]!;
  const { wrapper } = editor(scheduled, 1, new Map([["tower.1.schedules", "schedules are for the first level"]]));
  expect(wrapper.text()).toContain("schedules are for the first level");
  expect(hasTestid(wrapper, "stack-level-1-schedules-add")).toBe(false);
  expect(hasTestid(wrapper, "stack-level-1-schedules-alpha-remove")).toBe(true);
});

it("a draft keeps schedules: of a run, in storage, in groups, for another optimizer, but not in copies above", () => {
  const levels = tower.parse([
    { optimizer: "adam", schedules: { alpha: [{ kind: "warmUp", until: 1 }, "cosine"], beta1: [{ kind: "linear", to: 0.5 }] }, groups: [{ name: "bias", match: "*.bias" }, { name: "out", match: "*", schedules: {} }] },
    { optimizer: "sgd" },
  ]);
  const drafts = fromTower(levels);
  expect(tower.parse(toTower(drafts))).toEqual(levels);
  const draft = { ...defaultDraft(), levels: drafts };
  const stored = storedDraft.parse(JSON.parse(serializeDraft(draft)));
  expect(experimentOf(stored)).toEqual(experimentOf(draft));
  expect(validateDraft(stored).ok).toBe(true);
  expect(Object.keys(withOptimizer(drafts[0]!, "sgd").schedules)).toEqual(["alpha"]);
  expect(duplicateLevel(drafts, 0)[1]!.schedules).toEqual({});
  expect(toTower(fromTower(tower.parse([{ optimizer: "adam" }])))[0]).not.toHaveProperty("schedules");
  expect(runLengthOf(draft)).toEqual({ stepsPerEpoch: 235, totalSteps: 1175 });
});
