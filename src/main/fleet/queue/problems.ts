/** Messages for errors of PostgreSQL and of connections to it. */
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";
import { withoutPasswords, type QueueAddress } from "./address.ts";

/** SQLSTATEs that the queue's own functions raise. */
export const ownStates = { lost: "HT001", refused: "HT002" } as const;

/** The claim of a unit no longer holds: another attempt has begun, or it was canceled. */
export class ClaimLost extends FleetError {
  constructor(reason: string) {
    super(reason, { retry: false });
    this.name = "ClaimLost";
  }
}

interface Described {
  readonly problem: string;
  readonly retry: boolean;
}

const later = (problem: string): Described => ({ problem, retry: true });
const never = (problem: string): Described => ({ problem, retry: false });

const certificate = "Its certificate is not trusted: name the authority with sslrootcert=FILE";

/** By the code of a system call, of TLS, or the SQLSTATE. */
const byCode: Readonly<Record<string, (address: QueueAddress) => Described>> = {
  ENOTFOUND: () => later("The name of its host is not known"),
  EAI_AGAIN: () => later("The name of its host cannot be looked up at present"),
  ECONNREFUSED: () => later("Nothing listens there: is PostgreSQL running, and does it listen on that address?"),
  ENOENT: () => later("Its socket does not exist: is PostgreSQL running?"),
  EHOSTUNREACH: () => later("Its host cannot be reached"),
  ENETUNREACH: () => later("Its network cannot be reached"),
  ETIMEDOUT: () => later("It does not answer: is a firewall in the way?"),
  ECONNRESET: () => later("The connection was cut"),
  EPIPE: () => later("The connection was cut"),
  DEPTH_ZERO_SELF_SIGNED_CERT: () => never(certificate),
  SELF_SIGNED_CERT_IN_CHAIN: () => never(certificate),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => never(certificate),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => never(certificate),
  CERT_HAS_EXPIRED: () => never("Its certificate has expired"),
  ERR_TLS_CERT_ALTNAME_INVALID: () => never("Its certificate is for another name than the URL's: use that name, or sslmode=verify-ca"),
  "28P01": ({ user }) => never(`The password of ${user} is wrong`),
  "28000": ({ user }) => never(`It does not let ${user} in: the role does not exist, or pg_hba.conf wants another way, such as TLS (sslmode=require)`),
  "3D000": () => never("The database does not exist there"),
  "3F000": () => never("The queue's tables are not there: run hypertower queue init URL"),
  "42P01": () => never("The queue's tables are not there: run hypertower queue init URL"),
  "42883": () => never("The queue's functions are not there: run hypertower queue init URL"),
  "42501": ({ user }) => never(`${user} may not do this: use the URL of the other role, which hypertower queue init printed`),
  "53100": () => later("Its disk is full"),
  "53300": () => later("It has no free connection: raise max_connections"),
  "57P01": () => later("It is shutting down"),
  "57P02": () => later("It was restarted"),
  "57P03": () => later("It is starting"),
};

const byText: readonly (readonly [RegExp, Described])[] = [
  [/does not support SSL/i, never("It does not offer TLS: remove sslmode from the URL, or set it up there")],
  [/password must be a string/i, never("It asks for a password: write it into the URL, or into the file that PGPASSFILE names")],
  [/timeout|timed out/i, later("It does not answer: is a firewall in the way?")],
  [/terminated|ended|closed|not queryable/i, later("The connection was cut")],
];

const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

const codeOf = (error: unknown): string => (error as { code?: unknown } | null)?.code?.toString() ?? "";

/** Path of a file that could not be opened, such as a certificate's. */
const fileOf = (error: unknown): string | null => {
  const { syscall, path } = (error ?? {}) as { syscall?: unknown; path?: unknown };
  return syscall === "open" && typeof path === "string" ? path : null;
};

/** Every attempt of a host with several addresses has its own error. */
const first = (error: unknown): unknown => (error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error);

/** Any error of a query as one that says what to do. */
export function queueProblem(thrown: unknown, address: QueueAddress): FleetError {
  if (thrown instanceof FleetError) return thrown;
  const error = first(thrown);
  const [code, message] = [codeOf(error), withoutPasswords(messageOf(error))];
  if (code === ownStates.lost) return new ClaimLost(message);
  if (code === ownStates.refused) return new FleetError(message, { retry: false });
  const file = fileOf(error);
  if (file !== null) return new FleetError(`The queue at ${address.place} cannot be used. The file ${file} of its URL cannot be read: ${message}`, { retry: false, cause: error });
  const described = byCode[code]?.(address) ?? byText.find(([pattern]) => pattern.test(message))?.[1] ?? { problem: message, retry: code.startsWith("08") || code.startsWith("40") };
  return new FleetError(`The queue at ${address.place} cannot be used. ${sentence(described.problem)}`, { retry: described.retry, cause: error });
}
