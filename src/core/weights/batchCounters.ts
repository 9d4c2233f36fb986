/** PyTorch's batch normalization counts its batches beside its running statistics, and load_state_dict(strict=True) wants the count. */

/** Names of the counters that PyTorch's modules would have beside these arrays. */
export function batchCounters(names: Iterable<string>): string[] {
  const known = new Set(names);
  return [...known].flatMap((name) => {
    if (!/(^|\.)running_mean$/.test(name)) return [];
    const prefix = name.slice(0, -"running_mean".length);
    const counter = `${prefix}num_batches_tracked`;
    return known.has(`${prefix}running_var`) && !known.has(counter) ? [counter] : [];
  });
}
