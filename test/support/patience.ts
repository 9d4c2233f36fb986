/** Waits of tests end when what they wait for is so. A busy machine may take its time: they give up late, a little before the test does. */
import { vi } from "vitest";

const patience = 150_000;

const { waitFor, waitUntil } = vi;
const patient = (options: number | object | undefined) => (typeof options === "number" ? options : { timeout: patience, ...options });

// Workers keep `vi` between test files: adding the default twice does no harm.
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
