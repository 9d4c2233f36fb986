import type { LevelOptions } from "../../shared/levelOptions.ts";
import type { Node } from "../program/node.ts";
import { constant, equal, greater, mod, select, sub } from "../program/operations/index.ts";

/**
 * Chooses between a level's new and old values: it may start late, move every nth step, and
 * freeze. Null where it moves every step.
 * @param count number of the update, from 1; a scalar
 */
export function timing(count: Node, { warmUp, every, until }: LevelOptions): ((moved: Node, held: Node) => Node) | null {
  if (warmUp === 0 && every === 1 && until === null) return null;
  const since = sub(count, constant(warmUp));
  return (moved, held) => {
    const onTurn = select(equal(mod(sub(since, constant(1)), constant(every)), constant(0)), moved, held);
    const begun = select(greater(since, constant(0)), onTurn, held);
    return until === null ? begun : select(greater(count, constant(until)), held, begun);
  };
}
