/** Settings for a level that moves hyperparameters, from those of the level that moves the weights. */
import { initialOption, optionsOf } from "./levelOptions.ts";
import { publishedAlpha, type Level } from "./levelSchema.ts";
import { optimizerSpec } from "./optimizers.ts";

/** The level without options for the first level, such as Mechanic, and without their hyperparameters. */
export function withoutWeightsOnly(level: Level): Level {
  const options = optionsOf(level.optimizer).filter(({ weightsOnly }) => weightsOnly);
  const dropped = optimizerSpec(level.optimizer).hyperparameters.filter(({ onlyWith }) => options.some(({ name }) => name === onlyWith));
  const kept = (name: string) => !dropped.some((spec) => spec.name === name);
  return {
    ...level,
    ...Object.fromEntries(options.map((spec) => [spec.name, initialOption(spec, publishedAlpha(level.optimizer))])),
    ...Object.fromEntries(dropped.map(({ name, initial }) => [name, initial])),
    learned: level.learned.filter(kept),
    bounds: Object.fromEntries(Object.entries(level.bounds).filter(([name]) => kept(name))),
  } as Level;
}
