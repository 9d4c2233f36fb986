/** An importer that does as the name of its file says: it loops for ever, waits for ever, aborts, or answers. */
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { FromImporter, ToImporter } from "../../src/main/importing/messages.ts";

const send = (message: FromImporter) => process.send!(message);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToImporter) => {
  if (message.type === "stop") return;
  const { job } = message;
  if (job.kind === "create") {
    // As far as an import comes that is killed while it writes.
    mkdirSync(join(process.env["HYPERTOWER_DATA"]!, "own", `half-000000.${process.pid}.new`), { recursive: true });
    send({ type: "progress", progress: { done: 1, total: 2, unit: "bytes" } });
    return;
  }
  if (job.kind !== "preview") return;
  const name = basename(job.path);
  if (name === "loops") {
    // Once the message is sent.
    process.send!({ type: "progress", progress: { done: 1, total: 2, unit: "bytes" } } satisfies FromImporter, () => {
      for (;;);
    });
  } else if (name === "aborts") process.abort();
  else if (name === "answers") send({ type: "done", value: { form: "text", characters: 1, vocabulary: 1, beginning: "x" } });
});
