/** Where the store lives unless somebody says otherwise. */
export { userFolder as defaultStoreDir } from "../../core/datasets/folder.ts";
