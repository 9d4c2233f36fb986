/** Authentication of a browser window's socket with the local server. */

/** Offered by a socket together with its key. */
export const socketProtocol = "hypertower";

/** Browser sockets cannot send headers: the key is sent as a protocol name. */
export const keyProtocol = (key: string) => `key.${key}`;

/** Storage key in the browser; each port has its own storage. */
export const keyName = "hypertower-key";
