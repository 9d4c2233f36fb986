/** Names in a store for completion in a shell. */
export { readNames, readTags, type Named } from "../store/names.ts";
