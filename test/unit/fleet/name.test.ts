import { describe, expect, it } from "vitest";
import { openFleet } from "../../../src/main/fleet/index.ts";
import { parseFleetName, withoutPassword } from "../../../src/main/fleet/name.ts";

describe("names of fleets", () => {
  it("are parsed", () => {
    expect(parseFleetName("local")).toEqual({ kind: "local" });
    expect(parseFleetName(" slurm:gpu-a100 ")).toEqual({ kind: "slurm", profile: "gpu-a100" });
    expect(parseFleetName("folder:/shared/units")).toEqual({ kind: "folder", folder: "/shared/units" });
    expect(parseFleetName("queue")).toEqual({ kind: "queue", url: null });
    expect(parseFleetName("queue:postgres://me@db.local/tower?sslmode=require")).toEqual({ kind: "queue", url: "postgres://me@db.local/tower?sslmode=require" });
  });

  it.each(["", "slurm", "slurm:", "slurm:../x", "folder", "folder:here", "queue:http://x", "queue:postgres", "local:1", "gpu", "Slurm:a"])("refuses %j and says what is allowed", (name) => {
    expect(() => parseFleetName(name)).toThrow(/slurm:PROFILE|folder:DIR|queue/);
  });

  it("never show a password", async () => {
    expect(withoutPassword("queue:postgres://me:secret@db/tower")).toBe("queue:postgres://me@db/tower");
    expect(() => parseFleetName("queue:mysql://me:secret@db/tower")).toThrow(/^(?!.*secret)/s);
    await expect(openFleet("local", { storeFolder: "/", version: "1", warn: () => undefined })).rejects.toThrow(/host itself/);
  });
});
