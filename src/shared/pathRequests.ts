/** Which requests name files of the host's machine, and where. A test compares this with the contract's schemas. */
import { orderPaths } from "./datasets.ts";
import type { RequestArguments, RequestName } from "./contract.ts";

export const pathRequests = {
  "archives.import": ({ path }) => [path],
  "datasets.import": ({ path }) => [path],
  "datasets.preview": ({ path }) => [path],
  "importedRuns.import": ({ paths }) => paths,
  "networks.begin": ({ from }) => ("path" in from ? [from.path] : []),
  "networks.import": ({ path }) => [path],
  "storage.merge": ({ path }) => [path],
  "storage.move": ({ path }) => (path === null ? [] : [path]),
  "datasets.create": ({ order }) => orderPaths(order),
} as const satisfies { readonly [N in RequestName]?: (input: RequestArguments<N>) => readonly string[] };

export type PathRequest = keyof typeof pathRequests;

export function isPathRequest(name: unknown): name is PathRequest {
  return typeof name === "string" && Object.hasOwn(pathRequests, name);
}

/** Paths in the checked input of a request. */
export function pathsIn(name: PathRequest, input: unknown): readonly string[] {
  return (pathRequests[name] as (checked: unknown) => readonly string[])(input);
}
