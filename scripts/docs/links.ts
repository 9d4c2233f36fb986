/** Where a relative link of a document leads on the site. */
import { posix } from "node:path";

/** Documents of the repository's root and the pages that include them. */
export const includedDocuments: Readonly<Record<string, string>> = {
  "README.md": "index.md",
  "ARCHITECTURE.md": "architecture.md",
  "CONTRIBUTING.md": "contributing.md",
  "CHANGELOG.md": "changelog.md",
  "SECURITY.md": "security-policy.md",
  "CODE_OF_CONDUCT.md": "code-of-conduct.md",
};

const isElsewhere = (link: string) => /^[a-z][a-z+.-]*:|^\/\/|^#|^\//i.test(link);

/**
 * The site's path of a link, or null where the site has no such page (sources, folders, tables).
 * @param page path of the linking page under docs/
 */
export function siteLink(page: string, link: string): string | null {
  if (isElsewhere(link)) return link;
  const [path = "", anchor] = link.split("#", 2);
  // A page that includes a document of the root has that document's links.
  const isIncluded = page !== "index.md" && Object.values(includedDocuments).includes(page);
  const folder = isIncluded ? "" : posix.join("docs", posix.dirname(page));
  const target = posix.normalize(posix.join(folder, path)).replace(/\/$/, "");
  const end = anchor === undefined ? "" : `#${anchor}`;
  const included = includedDocuments[target];
  if (included !== undefined) return `/${included}${end}`;
  if (!target.startsWith("docs/") || !target.endsWith(".md")) return null;
  return `/${target.slice("docs/".length).replace(/README\.md$/, "index.md")}${end}`;
}
