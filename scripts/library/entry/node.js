/** The first import of the library: says which Node is needed before anything that an older one lacks runs. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 14)) throw new Error(`hypertower needs Node 22.14 or later; this is Node ${process.versions.node}.`);
