/** Services that record their requests, for tests of the surfaces. */
import { requestNames, type EventName, type EventPayload, type Handlers } from "../../src/shared/contract.ts";
import type { Services } from "../../src/main/services/services.ts";
import { noFleets } from "./noFleets.ts";

export interface FakeServices extends Services {
  /** Names of the requests that reached a handler. */
  readonly calls: string[];
  emit<N extends EventName>(name: N, payload: EventPayload<N>): void;
  listeners(): number;
}

/** Every handler answers with an empty list. */
export function fakeServices(): FakeServices {
  const calls: string[] = [];
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  const answer = (name: string) => () => {
    calls.push(name);
    return [];
  };
  return {
    calls,
    handlers: Object.fromEntries(requestNames.map((name) => [name, answer(name)])) as unknown as Handlers,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => {
        set.delete(listener);
      };
    },
    emit(name, payload) {
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
    listeners: () => [...listeners.values()].reduce((count, set) => count + set.size, 0),
    exportRun: () => ({ filename: "empty.csv", mediaType: "text/csv", pieces: [] }),
    settled: () => Promise.resolve(),
    exportArchive: () => ({ filename: "run.hypertower", mediaType: "application/x-hypertower", pieces: [] }),
    exportWeights: () => Promise.resolve({ filename: "weights.npz", mediaType: "application/zip", pieces: [] }),
    reportFile: ({ file }) => Promise.resolve({ filename: file, mediaType: "text/plain", pieces: ["a file"] }),
    comparisonPicture: () => "<svg/>",
    supportFile: () => Promise.resolve({ filename: "logs.zip", mediaType: "application/zip", pieces: ["logs"] }),
    supportFiles: () => Promise.resolve([]),
    erased: () => Promise.resolve(),
    requireSound: () => Promise.resolve(),
    writeReport: () => Promise.resolve({ files: [], remarks: [] }),
    readSteps: () => [],
    fleets: noFleets,
    training: () => 0,
    isClosing: () => false,
    close: () => Promise.resolve(),
  };
}
