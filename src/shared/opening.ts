/** Files and links that the system hands to the desktop app, and what each opens. Nothing is started or imported without a question. */
import { sharedKinds, type SharedKind } from "./sharing.ts";
import { clipped } from "./text.ts";

/** Ending of the app's files: archives of runs and studies, and experiments and studies as JSON. */
export const fileEnding = ".hypertower";
export const linkScheme = "hypertower";

export type Opening =
  /** A page of the window. */
  | { readonly kind: "page"; readonly path: string }
  /** A study or experiment as text or link, read by readShared(). */
  | { readonly kind: "definition"; readonly name: string; readonly text: string }
  /** An archive, which the window may read from now on. */
  | { readonly kind: "archive"; readonly name: string; readonly path: string }
  | { readonly kind: "problem"; readonly name: string; readonly message: string };

/** Longest link that is read: the definition of a large study. */
export const maxLinkLength = 200_000;

/** Pages that need nothing else. */
const pages = { new: "/", runs: "/runs", studies: "/studies", compare: "/compare", datasets: "/datasets", networks: "/networks", engines: "/engines", storage: "/storage" } as const;

const id = "[A-Za-z0-9_-]{1,64}";
const onePage = new RegExp(`^hypertower://(${Object.keys(pages).join("|")})/?$`);
const oneRecord = new RegExp(`^hypertower://(runs|studies)/(${id})/?$`);
const definition = new RegExp(`^hypertower:(?://open/)?(${sharedKinds.join("|")})[:/]([A-Za-z0-9_-]+)/?$`);

/** What a link opens. Whatever does not match one of the forms exactly is a problem, never a page. */
export function readLink(link: string): Opening {
  const name = "The link";
  if (link.length > maxLinkLength) return { kind: "problem", name, message: `The link has ${link.length} characters; at most ${maxLinkLength} are read.` };
  const page = onePage.exec(link)?.[1];
  if (page) return { kind: "page", path: pages[page as keyof typeof pages] };
  const record = oneRecord.exec(link);
  if (record) return { kind: "page", path: `/${record[1]!}/${record[2]!}` };
  const shared = definition.exec(link);
  if (shared) return { kind: "definition", name, text: `${linkScheme}:${shared[1] as SharedKind}:${shared[2]!}` };
  const forms = `hypertower://${Object.keys(pages).join(", hypertower://")}, hypertower://runs/ID, hypertower://studies/ID, hypertower://open/study/… and hypertower://open/experiment/…`;
  return { kind: "problem", name, message: `${clipped(link, 100)} is not a link that Hypertower opens. These are: ${forms}.` };
}
