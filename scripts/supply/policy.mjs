/** What a package must be like to ship with Hypertower, which is MIT-licensed. */

/** Licenses that ask for no more than a notice. */
export const permissive = ["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BlueOak-1.0.0", "CC0-1.0", "Unlicense"];

/** Other licenses, each with the packages that may have it and why that is all right. */
export const explained = {
  "MPL-2.0": {
    packages: /^(@resvg\/resvg-js(-|$)|lightningcss(-|$))/,
    why: "binds the package's own files, which are used unchanged",
  },
  "LGPL-3.0-or-later": {
    packages: /^@img\/sharp-/,
    why: "libvips is a shared library of its own, which anybody may replace",
  },
};
