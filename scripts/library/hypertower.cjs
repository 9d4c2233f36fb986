#!/usr/bin/env node
/* Starts the command line. In syntax that any Node parses, so that one which is too old can say so. */
"use strict";
// oxlint-disable-next-line no-var
var version = process.versions.node.split(".").map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 14)) {
  console.error("hypertower: Node " + process.versions.node + " is too old; 22.14 or later is needed. Get it from nodejs.org, or run: npx --package=node@22 --package=hypertower hypertower");
  process.exitCode = 1;
} else {
  void import("../out/main/headless.js");
}
