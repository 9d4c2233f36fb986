/** Pages that the server itself generates. */
import { keyName } from "../../../shared/socket.ts";

function page(title: string, body: string, head = ""): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${title}</title>${head}</head>
<body><h1>${title}</h1>${body}</body>
</html>
`;
}

export const linkRefused = page(
  "This link is no longer valid",
  `<p>A link opens Hypertower once, in one browser. This one was already used, was replaced by a newer link, or is incomplete.</p>
<p>Ask the running <code>hypertower serve</code> for a new link, or restart it, and open the link it prints.</p>`,
);

export const sessionRequired = page(
  "Open Hypertower by its link",
  `<p>This browser has no session with the running server. The link that <code>hypertower serve</code> prints starts one.</p>
<p>Ask it for a new link, or restart it, and open the link it prints.</p>`,
);

export const notFound = page("Not found", `<p>There is no such page. <a href="/">Open the workbench</a></p>`);

/** Navigates to the workbench again, from a page of this server. */
export const reopen = page("Opening Hypertower", `<p><a href="/">Open the workbench</a></p>`, `<meta http-equiv="refresh" content="0; url=/">`);

/** Target of a link: stores the session's key in the browser, then opens the workbench without the token. */
export const welcome = (key: string) => page("Opening Hypertower", `<p><a href="/">Open the workbench</a></p>`, `<script src="${welcomeScript.path}" data-key="${key}"></script>`);

/** A separate file, because the content security policy allows no inline scripts. */
export const welcomeScript = {
  path: "/welcome.js",
  body: `localStorage.setItem(${JSON.stringify(keyName)}, document.currentScript.dataset.key);\nlocation.replace("/");\n`,
};
