/** Writes docs/cli.md from the tree of commands. Run by Node 22.18 or later, which reads TypeScript. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { reference } = await import("../src/main/headless/reference.ts");
const file = fileURLToPath(new URL("../docs/cli.md", import.meta.url));
writeFileSync(file, reference());
console.log(`wrote ${file}`);
