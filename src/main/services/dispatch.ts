/** Entry point of every request: checks its name and input, and turns failures into replies. */
import type { z } from "zod";
import { contract, requestNames, type Reply, type RequestFailure, type RequestName } from "../../shared/contract.ts";
import { messageOf } from "../../shared/errors.ts";
import { fieldErrors } from "../../shared/experiment.ts";
import { consoleLog, type Log } from "../store/log.ts";
import { UserError, type Services } from "./services.ts";

function isRequestName(name: unknown): name is RequestName {
  return typeof name === "string" && Object.hasOwn(contract.requests, name);
}

const closing = "Hypertower is closing.";

/**
 * Answers one request from any surface. Never rejects; unexpected errors are logged with their stack. While the services
 * close, requests are refused: whatever fails then fails because of that.
 */
export async function dispatch(
  services: Pick<Services, "handlers" | "isClosing">,
  name: unknown,
  input: unknown,
  log: Log = consoleLog,
): Promise<Reply<RequestName>> {
  if (!isRequestName(name)) {
    return failed({ message: `There is no request named ${JSON.stringify(name) ?? typeof name}; there are: ${requestNames.join(", ")}.` });
  }
  const parsed = contract.requests[name].input.safeParse(input);
  if (!parsed.success) return failed(invalidInput(name, parsed.error));
  if (services.isClosing()) return failed({ message: closing });
  try {
    // The checked schema belongs to this handler, which TypeScript cannot infer through the union.
    const handle = services.handlers[name] as (checked: unknown) => unknown;
    return { ok: true, value: await handle(parsed.data) } as Reply<RequestName>;
  } catch (error) {
    if (services.isClosing() && !(error instanceof UserError)) return failed({ message: closing });
    return failed(failureOf(error, name, log));
  }
}

function failed(error: RequestFailure): Reply<RequestName> {
  return { ok: false, error };
}

function invalidInput(name: RequestName, error: z.ZodError): RequestFailure {
  const fields = fieldErrors(error);
  const details = fields.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  return { message: `The input of ${name} is not valid: ${details}.`, fields };
}

function failureOf(error: unknown, name: RequestName, log: Log): RequestFailure {
  if (error instanceof UserError) {
    return { message: error.message, ...(error.fields && { fields: error.fields.map((field) => ({ ...field })) }) };
  }
  log.error(`${name} failed unexpectedly`, error);
  return { message: `${name} failed unexpectedly: ${messageOf(error)}` };
}
