/** Denies pages everything that the app does not need. */
import { app, session } from "electron";
import { isGuideUrl, openGuide } from "./guide.ts";
import { isOwnUrl } from "./location.ts";
import { hostLog } from "../logs/hostLog.ts";

/** Denies navigation away from the window's pages, new windows but the guide's, embedded guests and permissions. */
export function denyEverythingElse(): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.on("will-frame-navigate", (event) => {
      if (!event.isMainFrame || !isOwnUrl(event.url)) refuse(event, "navigation to", event.url);
    });
    contents.on("will-redirect", (event) => {
      if (!isOwnUrl(event.url)) refuse(event, "redirection to", event.url);
    });
    contents.on("will-attach-webview", (event, _preferences, parameters) => {
      refuse(event, "an embedded guest at", parameters["src"] ?? "");
    });
    contents.setWindowOpenHandler(({ url }) => {
      if (isGuideUrl(url)) openGuide(url);
      else hostLog.warn(`refused a new window for ${shown(url)}`);
      return { action: "deny" };
    });
  });
}

/**
 * Call after the app is ready: there is no session before.
 * @param denyNetwork false in development, where hot replacement needs the network
 */
export function denyPermissions(denyNetwork: boolean): void {
  const own = session.defaultSession;
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  own.setPermissionCheckHandler(() => false);
  own.setDevicePermissionHandler(() => false);
  if (!denyNetwork) return;
  // The headers' policy already forbids these; this also covers documents without headers.
  own.webRequest.onBeforeRequest({ urls: ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*", "file:///*"] }, (details, answer) => {
    hostLog.warn(`refused a request to ${shown(details.url)}`);
    answer({ cancel: true });
  });
}

function refuse(event: { preventDefault(): void }, what: string, url: string): void {
  event.preventDefault();
  hostLog.warn(`refused ${what} ${shown(url)}`);
}

function shown(url: string): string {
  return url.length > 200 ? `${url.slice(0, 200)}...` : url;
}
