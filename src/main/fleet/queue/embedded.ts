/** A PostgreSQL of Hypertower's own, for this machine alone: on a port of the loopback interface, with random passwords. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { z } from "zod";
import { isProcessAlive } from "../../../core/durable/alive.ts";
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";
import { findPostgres, runProgram, type Postgres } from "./binaries.ts";
import { initializeQueue } from "./init.ts";

export interface EmbeddedOptions {
  /** Folder of another PostgreSQL's programs. */
  readonly programs?: string;
  /** Data is thrown away afterwards and need not outlast a power failure. */
  readonly temporary?: boolean;
}

export interface EmbeddedQueue {
  /** URLs of the roles. */
  readonly coordinator: string;
  readonly worker: string;
  /** Of the superuser. */
  readonly administrator: string;
  /** Ends the server. */
  stop(): Promise<void>;
  /** Ends the server in another way, and starts it again on the same port; for tests. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
}

const superuser = "hypertower";
const host = "127.0.0.1";

const secrets = z.object({ password: z.string(), coordinator: z.string().nullable(), worker: z.string().nullable() });
type Secrets = z.infer<typeof secrets>;

/** Starts the server of a folder, or uses it where it runs already. @throws FleetError */
export async function startEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedQueue> {
  const postgres = await findPostgres(options.programs);
  const server = new EmbeddedServer(folder, postgres, options);
  await server.prepare();
  await server.start();
  return server.queue();
}

class EmbeddedServer {
  readonly #folder: string;
  /** Where the data is: the folder itself, or one that another user can reach. */
  readonly #home: string;
  readonly #data: string;
  readonly #secretsFile: string;
  readonly #postgres: Postgres;
  readonly #temporary: boolean;
  #secrets: Secrets | undefined;
  #port = 0;

  constructor(folder: string, postgres: Postgres, { temporary = false }: EmbeddedOptions) {
    this.#folder = folder;
    // Root's stores are closed to the user that PostgreSQL runs as.
    this.#home = postgres.user && !temporary ? join("/var/lib/hypertower", createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 16)) : folder;
    this.#data = join(this.#home, "postgres");
    this.#secretsFile = join(folder, "passwords.json");
    this.#postgres = postgres;
    this.#temporary = temporary;
  }

  /** Makes the folder of data once. */
  async prepare(): Promise<void> {
    for (const made of new Set([this.#folder, this.#home])) await mkdir(made, { recursive: true });
    this.#secrets = secrets.safeParse(await jsonFile(this.#secretsFile)).data;
    // A store that was moved to another machine may lack its data.
    if (this.#secrets && existsSync(join(this.#data, "PG_VERSION"))) return;
    // Without its passwords nobody can use what is there; an earlier attempt may have been cut short.
    await rm(this.#data, { recursive: true, force: true });
    const { user } = this.#postgres;
    await mkdir(this.#data, { mode: 0o700 });
    const passwordFile = join(this.#home, `password-${process.pid}`);
    const password = randomBytes(24).toString("base64url");
    await writeFile(passwordFile, password, { mode: 0o600 });
    try {
      if (user) for (const path of [this.#home, this.#data, passwordFile]) await chown(path, user.uid, user.gid);
      await runProgram(this.#postgres, "initdb", ["-D", this.#data, "-U", superuser, "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--locale=C", ...(this.#temporary ? ["--no-sync"] : [])], "Making a database for the queue");
    } finally {
      await rm(passwordFile, { force: true });
    }
    await this.#keep({ password, coordinator: null, worker: null });
  }

  async start(): Promise<void> {
    if (await this.#findRunning()) return;
    this.#port ||= await freePort();
    const settings = [`-p ${this.#port}`, `-c listen_addresses=${host}`, "-c unix_socket_directories=", "-c max_connections=200", ...(this.#temporary ? ["-c fsync=off", "-c full_page_writes=off"] : [])];
    const log = join(this.#data, "server.log");
    try {
      await runProgram(this.#postgres, "pg_ctl", ["-D", this.#data, "-l", log, "-w", "-t", "60", "-o", settings.join(" "), "start"], "Starting PostgreSQL for the queue");
    } catch (error) {
      // Another process may have been quicker.
      if (await this.#findRunning()) return;
      const said = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-4).join("\n");
      throw new FleetError(`${messageOf(error)}\n${said}`, { retry: false, cause: error });
    }
  }

  async queue(): Promise<EmbeddedQueue> {
    const { password } = this.#secrets!;
    const administrator = this.#url(superuser, password);
    const complete = this.#secrets?.coordinator && this.#secrets.worker;
    const { roles } = await initializeQueue(administrator, { newPasswords: !complete });
    if (!complete) {
      const [coordinator, worker] = roles.map(({ url }) => new URL(url!).password) as [string, string];
      await this.#keep({ password, coordinator, worker });
    }
    const [coordinator, worker] = roles.map(({ role }, index) => this.#url(role, (index === 0 ? this.#secrets!.coordinator : this.#secrets!.worker)!)) as [string, string];
    return {
      administrator,
      coordinator,
      worker,
      stop: () => this.#stop("fast"),
      restart: async (mode = "fast") => {
        await this.#stop(mode);
        await this.start();
      },
    };
  }

  #url(user: string, password: string): string {
    return `postgres://${user}:${password}@${host}:${this.#port}/postgres`;
  }

  async #stop(mode: string): Promise<void> {
    await runProgram(this.#postgres, "pg_ctl", ["-D", this.#data, "-m", mode, "-w", "-t", "60", "stop"], "Ending PostgreSQL of the queue");
  }

  /** Whether it runs, by the file that it keeps meanwhile: process and port stand in its lines 1 and 4. */
  async #findRunning(): Promise<boolean> {
    const lines = (await readFile(join(this.#data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    // After a crash the number may be another process's.
    if (!(pid > 0) || !(port > 0) || !isProcessAlive(pid) || !(await answers(port))) return false;
    this.#port = port;
    return true;
  }

  async #keep(kept: Secrets): Promise<void> {
    this.#secrets = kept;
    const fresh = `${this.#secretsFile}.new`;
    await writeFile(fresh, JSON.stringify(kept), { mode: 0o600 });
    await chmod(fresh, 0o600);
    await rename(fresh, this.#secretsFile);
  }
}

async function jsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => end(true)).on("error", () => end(false)).setTimeout(5_000, () => end(false));
  });
}
