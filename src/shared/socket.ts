/** How a browser's window and the local server know each other's socket. */

/** The protocol spoken; a socket offers it beside its key. */
export const socketProtocol = "hypertower";

/** A browser's socket sends no headers of its own: the key travels as the name of a protocol. */
export const keyProtocol = (key: string) => `key.${key}`;

/** Under this name the key lies in the browser's storage, which each port has for itself. */
export const keyName = "hypertower-key";
