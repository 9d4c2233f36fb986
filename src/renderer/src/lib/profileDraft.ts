/** A Slurm profile as typed in its form. */
import { profileName, slurmProfile, type SlurmProfile } from "@shared/fleet/profile.ts";

export interface ProfileDraft {
  name: string;
  /** Texts by field; lists have one item a line. */
  fields: Record<string, string>;
}

export interface ProfileField {
  readonly key: keyof SlurmProfile;
  readonly label: string;
  readonly hint: string;
  readonly kind: "text" | "number" | "lines";
  readonly placeholder: string;
  /** Takes the whole width of the form. */
  readonly wide?: boolean;
}

export const profileFields: readonly ProfileField[] = [
  { key: "folder", label: "Shared folder", hint: "The coordinator and every node see it under this path.", kind: "text", placeholder: "/scratch/me/hypertower", wide: true },
  { key: "partition", label: "Partition", hint: "sinfo lists them.", kind: "text", placeholder: "the cluster’s default" },
  { key: "account", label: "Account", hint: "", kind: "text", placeholder: "your default" },
  { key: "minutes", label: "Minutes of a job", hint: "Longer units go on in the next job.", kind: "number", placeholder: "60" },
  { key: "warning", label: "Seconds to leave", hint: "Before the time limit, with checkpoints.", kind: "number", placeholder: "120" },
  { key: "atOnce", label: "Jobs at the same time", hint: "Also what estimates rest on.", kind: "number", placeholder: "no limit of its own" },
  { key: "cpus", label: "Cores of a job", hint: "", kind: "number", placeholder: "the threads of a unit" },
  { key: "memory", label: "Memory of a job", hint: "", kind: "text", placeholder: "4G" },
  { key: "gres", label: "Generic resources", hint: "", kind: "text", placeholder: "gpu:1" },
  { key: "constraint", label: "Constraint", hint: "", kind: "text", placeholder: "none" },
  { key: "qos", label: "Quality of service", hint: "", kind: "text", placeholder: "your default" },
  { key: "attempts", label: "Failures of a unit", hint: "Jobs that may fail before it is set aside.", kind: "number", placeholder: "5" },
  { key: "command", label: "Command", hint: "How Hypertower is started on a node.", kind: "text", placeholder: "hypertower" },
  { key: "data", label: "Folder of the datasets on the nodes", hint: "", kind: "text", placeholder: "the account’s own", wide: true },
  { key: "prologue", label: "Prologue", hint: "Lines of shell before Hypertower starts: modules, containers, variables.", kind: "lines", placeholder: "module load nodejs/24", wide: true },
  { key: "options", label: "Further options of sbatch", hint: "One a line, in their long form.", kind: "lines", placeholder: "--exclude=n3", wide: true },
];

export function profileDraftOf(name = "", profile?: SlurmProfile): ProfileDraft {
  const textOf = (value: string | number | readonly string[] | undefined) => (typeof value === "object" ? value.join("\n") : String(value ?? ""));
  return { name, fields: Object.fromEntries(profileFields.map(({ key }) => [key, textOf(profile?.[key])])) };
}

/** What is typed, as a profile for the services, which check it too. Empty fields are left out. */
export function profileOf({ fields }: ProfileDraft): Record<string, unknown> {
  const entries = profileFields.flatMap(({ key, kind }): [string, unknown][] => {
    const text = (fields[key] ?? "").trim();
    if (text === "") return [];
    if (kind === "lines") return [[key, text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "")]];
    return [[key, kind === "number" ? Number(text) : text]];
  });
  return Object.fromEntries(entries);
}

/** Errors by field; `name` for the name. */
export function profileErrors(draft: ProfileDraft): Map<string, string> {
  const errors = new Map<string, string>();
  const named = profileName.safeParse(draft.name.trim());
  if (!named.success) errors.set("name", named.error.issues[0]!.message);
  const parsed = slurmProfile.safeParse(profileOf(draft));
  for (const { path, message } of parsed.error?.issues ?? []) {
    const key = String(path[0] ?? "");
    if (!errors.has(key)) errors.set(key, (draft.fields[key] ?? "").trim() === "" ? "is needed" : message);
  }
  return errors;
}
