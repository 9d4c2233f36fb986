/** The default folder of the store. */
export { userFolder as defaultStoreDir } from "../../core/datasets/folder.ts";
