/** The built desktop app in Node, `electron` replaced by the stub; the other end of the stub's channel. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Running } from "../support/childProcess.ts";
import { built } from "../support/paths.ts";
import { connectRpc, type Methods } from "./rpc.ts";

export interface ErrorBox {
  readonly title: string;
  readonly content: string;
}

export interface MessageBox {
  readonly message: string;
  readonly detail?: string;
  readonly buttons: readonly string[];
}

/** What the app asks of the browser. */
export interface WindowHost {
  load(url: string, preload: string | undefined): Promise<void>;
  receive(channel: string, parameters: readonly unknown[]): Promise<void>;
  reload(): Promise<void>;
}

export interface DesktopApp {
  readonly process: Running;
  /** Calls a method of the stub. */
  call(method: string, argument?: unknown): Promise<unknown>;
  readonly errorBoxes: readonly ErrorBox[];
  readonly messageBoxes: readonly MessageBox[];
  /** Addresses handed to the system's browser. */
  readonly openedOutside: readonly string[];
  /** What is chosen in the next dialog for files; it is cancelled otherwise. */
  choose(path: string): void;
  /** The button pressed in the next question; the first one in others. */
  press(button: string): void;
}

export function startApp(storeDir: string, host: WindowHost): DesktopApp {
  const child = fork(built.desktop, [], {
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: ["--import", fileURLToPath(new URL("hooks.ts", import.meta.url))],
    env: { ...process.env, HYPERTOWER_HOME: storeDir },
  });
  const errorBoxes: ErrorBox[] = [];
  const messageBoxes: MessageBox[] = [];
  const openedOutside: string[] = [];
  let pressed: string | null = null;
  let chosen: string | null = null;

  const methods: Methods = {
    load: ({ url, preload }: { url: string; preload: string | undefined }) => host.load(url, preload),
    receive: ({ channel, parameters }: { channel: string; parameters: unknown[] }) => host.receive(channel, parameters),
    reload: () => host.reload(),
    errorBox: (box: ErrorBox) => void errorBoxes.push(box),
    messageBox: (box: MessageBox) => {
      messageBoxes.push(box);
      const response = pressed === null ? 0 : box.buttons.indexOf(pressed);
      pressed = null;
      return { response };
    },
    openDialog: () => {
      const path = chosen;
      chosen = null;
      return path;
    },
    openExternal: ({ url }: { url: string }) => void openedOutside.push(url),
    exit: () => undefined,
  };
  const call = connectRpc(
    {
      send: (message) => {
        if (child.connected) child.send(message as object, () => undefined);
      },
      onMessage: (listener) => child.on("message", listener),
    },
    methods,
  );
  return { process: new Running(child), call, errorBoxes, messageBoxes, openedOutside, choose: (path) => (chosen = path), press: (button) => (pressed = button) };
}
