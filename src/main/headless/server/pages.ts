/** The few pages the server writes itself. */
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
  "This link is not valid any more",
  `<p>A link opens Hypertower once, in one browser. This one has been used already, was replaced by a newer link, or is incomplete.</p>
<p>Ask the running <code>hypertower serve</code> for a new link, or restart it, and open the link it prints.</p>`,
);

export const sessionRequired = page(
  "Open Hypertower by its link",
  `<p>This browser has no session with the running server. It is given one by the link that <code>hypertower serve</code> prints.</p>
<p>Ask it for a new link, or restart it, and open the link it prints.</p>`,
);

export const notFound = page("Not found", `<p>There is no such page. <a href="/">Open the workbench</a></p>`);

/** Navigates to the workbench once more, this time from a page of the server's own. */
export const comeIn = page("Opening Hypertower", `<p><a href="/">Open the workbench</a></p>`, `<meta http-equiv="refresh" content="0; url=/">`);

/** What a link leads to: keeps the session's key in this browser, and goes on to the workbench without the token. */
export const welcome = (key: string) => page("Opening Hypertower", `<p><a href="/">Open the workbench</a></p>`, `<script src="${welcomeScript.path}" data-key="${key}"></script>`);

/** A file of its own, because the pages' policy allows nothing inline. */
export const welcomeScript = {
  path: "/welcome.js",
  body: `localStorage.setItem(${JSON.stringify(keyName)}, document.currentScript.dataset.key);\nlocation.replace("/");\n`,
};
