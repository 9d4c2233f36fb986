/** A registry on this machine that answers `npm audit`: with made-up advisories, about the packages of a lock file. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface Advisory {
  readonly id: number;
  readonly url: string;
  readonly title: string;
  readonly severity: "low" | "moderate" | "high" | "critical";
  readonly vulnerable_versions: string;
  readonly cwe: readonly string[];
  readonly cvss: { readonly score: number; readonly vectorString: string };
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly dependencies?: Readonly<Record<string, string>> }>>;
}

export interface AdvisoryRegistry {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param advisories by the name of their package
 * @param tags what the registry answers for dist-tags of every package
 */
export async function serveAdvisories(lock: Lock, advisories: Readonly<Record<string, readonly Advisory[]>>, tags: Readonly<Record<string, string>> = {}): Promise<AdvisoryRegistry> {
  const server = createServer((request, response) => {
    const answer = (value: unknown) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (request.method !== "POST") {
      answer(manifestOf(lock, decodeURIComponent((request.url ?? "/").slice(1)), tags));
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const asked = JSON.parse((request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString()) as Record<string, unknown>;
      answer(Object.fromEntries(Object.entries(advisories).filter(([name]) => name in asked)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** All that npm reads of a package to see which others it makes vulnerable. */
function manifestOf({ packages }: Lock, name: string, tags: Readonly<Record<string, string>>): unknown {
  const installed = Object.entries(packages).filter(([path]) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`));
  const versions = Object.fromEntries(installed.map(([, { version = "0.0.0", dependencies = {} }]) => [version, { name, version, dependencies, dist: { tarball: "", shasum: "" } }]));
  return { name, "dist-tags": { latest: Object.keys(versions)[0] ?? "0.0.0", ...tags }, versions };
}
