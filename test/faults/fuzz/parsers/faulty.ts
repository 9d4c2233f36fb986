/** Parsers with the faults that fuzzing has to find. */
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { FuzzedParser } from "../parser.ts";

let tries = 0;

export const faultyParsers: readonly FuzzedParser[] = [
  {
    name: "crashing",
    corpus: "text",
    parse: () => {
      if (++tries === 3) process.kill(process.pid, "SIGKILL");
    },
  },
  { name: "writing", corpus: "text", parse: () => writeFileSync(join(homedir(), "written-by-fuzzing"), "") },
  { name: "polluting", corpus: "text", parse: () => void Object.defineProperty(Object.prototype, "polluted", { value: true, configurable: true }) },
];
