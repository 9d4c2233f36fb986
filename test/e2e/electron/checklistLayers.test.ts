/**
 * Items of Electron's security checklist behind which another defense stands: here that one is taken away, to see that the
 * item holds by itself. The other items are in checklist.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findElectron, startElectronApp, type ElectronHarness } from "./harness.ts";
import { startElsewhere, switches, type Elsewhere } from "./support/elsewhere.ts";
import { loadFrom } from "./support/inPage.ts";
import { closeOthers, evaluateIn, openHidden, preferencesOf } from "./support/windows.ts";

const found = findElectron();
const home = "app://hypertower/";
let harness: ElectronHarness;
let elsewhere: Elsewhere;

/** Lets the window's page run and load everything that its content security policy forbids. */
async function ignorePolicy(): Promise<void> {
  const session = await harness.page.context().newCDPSession(harness.page);
  await session.send("Page.setBypassCSP", { enabled: true });
  await harness.page.goto(home);
  await harness.page.locator("#app > *").first().waitFor();
}

/** Takes away the filter that cancels requests to other sites. */
const removeFilter = () => harness.app.evaluate(({ session }) => session.defaultSession.webRequest.onBeforeRequest(null));

/** An expression that asks for permissions, all that a page can ask for where none is named. Its value: those that were granted, by name. */
const askFor = (...names: string[]) => `(async (names) => {
  const ask = {
    geolocation: () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, (error) => (error.code === 1 ? reject(error) : resolve()), { timeout: 2000 })),
    notifications: async () => { if ((await Notification.requestPermission()) !== "granted") throw new Error("denied"); },
    camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
    microphone: () => navigator.mediaDevices.getUserMedia({ audio: true }),
    midi: () => navigator.requestMIDIAccess({ sysex: true }),
    "clipboard-read": () => navigator.clipboard.readText(),
    "idle-detection": async () => { if ((await IdleDetector.requestPermission()) !== "granted") throw new Error("denied"); },
    fullscreen: () => document.documentElement.requestFullscreen(),
    "pointer-lock": () => document.documentElement.requestPointerLock({ unadjustedMovement: false }) ?? Promise.reject(),
    usb: () => navigator.usb.requestDevice({ filters: [] }),
    serial: () => navigator.serial.requestPort(),
    hid: async () => { if ((await navigator.hid.requestDevice({ filters: [] })).length === 0) throw new Error("none"); },
    "persistent-storage": async () => { if (!(await navigator.storage.persist())) throw new Error("denied"); },
  };
  const granted = [];
  for (const [name, request] of Object.entries(ask).filter(([name]) => names.length === 0 || names.includes(name))) {
    const late = new Promise((_, reject) => setTimeout(reject, 3000));
    await Promise.race([Promise.resolve().then(request), late]).then(() => granted.push(name), () => undefined);
  }
  for (const name of ["geolocation", "notifications", "camera", "microphone", "midi", "clipboard-read", "persistent-storage"]) {
    const { state } = await navigator.permissions.query({ name });
    if (state === "granted") granted.push(name + " (state)");
  }
  return granted;
})(${JSON.stringify(names)})`;

if ("path" in found) {
  beforeAll(async () => {
    elsewhere = await startElsewhere();
    harness = await startElectronApp(found.path, { switches });
    await harness.page.locator("#app > *").first().waitFor();
  });
  afterAll(async () => {
    await elsewhere.close();
    await harness.close();
  });
  afterEach(() => closeOthers(harness));

  describe("Electron's security checklist, each layer alone", () => {
    it("8. Do not enable allowRunningInsecureContent: nothing insecure loads, even where the content security policy is ignored", async () => {
      await ignorePolicy();
      // It is ignored: an inline script runs.
      expect(await harness.page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "window.inline = true";
        document.head.append(script);
        return "inline" in window;
      })).toBe(true);
      expect(await harness.page.evaluate(loadFrom, elsewhere.url)).toEqual([]);
      expect(elsewhere.hits).toEqual([]);
      await expect.poll(() => harness.log()).toContain(`refused a request to ${elsewhere.url}x.js`);
      expect(await preferencesOf(harness)).toMatchObject({ allowRunningInsecureContent: false });
    });

    it("5. Handle session permission requests: all are denied, even to a page that came from elsewhere", async () => {
      await removeFilter();
      const control = await openHidden(harness, elsewhere.trusted, { partition: "control" });
      // A session that nobody limits grants them: the requests are good ones.
      const usual = ["notifications", "camera", "microphone"];
      expect(await evaluateIn(harness, control.id, askFor(...usual))).toEqual(expect.arrayContaining(usual));
      const { id, problem } = await openHidden(harness, elsewhere.trusted);
      expect(problem).toBeNull();
      expect(await evaluateIn(harness, id, askFor())).toEqual([]);
    });

    it("6. Do not disable webSecurity: a page reads neither another site's answers nor a frame of another origin", async () => {
      await removeFilter();
      await ignorePolicy();
      elsewhere.forget();
      const read = await harness.page.evaluate(async (url) => {
        const answer = await fetch(url).then((response) => response.text(), () => "unread");
        const frame = document.createElement("iframe");
        frame.setAttribute("sandbox", "allow-scripts");
        frame.srcdoc = "<p>inside</p>";
        const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
        document.body.append(frame);
        await loaded;
        return { answer, frame: frame.contentDocument === null ? "unread" : "read" };
      }, `${elsewhere.url}private`);
      // The site was asked, and its answer was kept from the page.
      expect(elsewhere.hits).toContain("/private");
      expect(read).toEqual({ answer: "unread", frame: "unread" });
      expect(await preferencesOf(harness)).toMatchObject({ webSecurity: true });
    });
  });
} else {
  it.skip(`Electron's security checklist, each layer alone: ${found.problem}`);
}
