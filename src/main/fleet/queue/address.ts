/** Where a queue's PostgreSQL is, as a URL. Passwords stay in here: nothing that people or logs see holds one. */
import { FleetError } from "../fleet.ts";

export interface QueueAddress {
  /** For the connection alone. */
  readonly url: string;
  /** `host:port/database`, for people. */
  readonly place: string;
  readonly user: string;
  readonly hasPassword: boolean;
}

/** Environment variable with the URL of the queue, which keeps it out of the list of processes. */
export const queueVariable = "HYPERTOWER_QUEUE";

const example = "postgres://hypertower_worker:PASSWORD@HOST:5432/DATABASE";

/** @throws FleetError without the text of the URL, in which a password may be */
export function parseAddress(text: string): QueueAddress {
  const refuse = (problem: string): never => {
    throw new FleetError(`The URL of the queue cannot be used: ${problem}. Allowed: ${example}`, { retry: false });
  };
  const url = URL.canParse(text) ? new URL(text) : refuse("it is not a URL; special characters of a password must be written as %40 for @, %2F for /, %23 for #");
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") refuse(`it begins with ${url.protocol}//, not with postgres://`);
  const socket = url.searchParams.get("host");
  if (url.hostname === "" && !socket) refuse("it names no host");
  const database = decoded(url.pathname.slice(1));
  if (database === "") refuse("it names no database");
  // As psql reads the words of sslmode: `require` encrypts, `verify-full` also checks the server's certificate and name.
  if (url.searchParams.has("sslmode") && !url.searchParams.has("uselibpqcompat")) url.searchParams.set("uselibpqcompat", "true");
  return { url: url.href, place: `${socket ?? url.hostname}:${url.port || "5432"}/${database}`, user: decoded(url.username), hasPassword: url.password !== "" };
}

/** The same place for another user. */
export function addressFor(url: string, user: string, password: string): string {
  const other = new URL(url);
  other.username = encodeURIComponent(user);
  other.password = encodeURIComponent(password);
  if (other.searchParams.get("uselibpqcompat") === "true") other.searchParams.delete("uselibpqcompat");
  return other.href;
}

/** A URL as studies and people know it. */
export function passwordless(text: string): string {
  const url = new URL(text);
  url.password = "";
  return url.href;
}

/** Text without what stands between `user:` and `@` in URLs. */
export const withoutPasswords = (text: string): string => text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@]*@/gi, "$1:…@");

/** The URL that was given, else the one of the environment. @throws FleetError where there is neither */
export function chosenUrl(given: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const url = given ?? env[queueVariable]?.trim();
  if (!url) throw new FleetError(`No queue is named: give its URL, or set ${queueVariable}. Allowed: ${example}`, { retry: false });
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
