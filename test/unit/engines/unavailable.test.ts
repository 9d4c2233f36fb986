/** An engine that this machine lacks is a type, whatever its message says. */
import { expect, it } from "vitest";
import { EngineFailure, EngineUnavailable, engineFailure } from "../../../src/core/engines/failures.ts";
import { loadEngine } from "../../../src/core/engines/index.ts";
import { onnxEngine } from "../../../src/core/engines/onnx/engine.ts";
import { providers } from "../../../src/core/engines/onnx/providers.ts";
import { tfjsEngine } from "../../../src/core/engines/tfjs/engine.ts";
import { backends } from "../../../src/core/engines/tfjs/backends.ts";

const kind = process.platform === "win32" ? "onnx-coreml" : "onnx-directml";

it("an engine of another system is answered, not thrown", async () => {
  expect(await onnxEngine(providers[kind])).toEqual({ unavailable: expect.stringContaining("ONNX Runtime has this provider for") as string });
});

it("a backend's missing parts are answered, not thrown", async () => {
  const missing = { ...backends["tfjs-cpu"], load: () => Promise.resolve({ unavailable: "its parts are missing" }) };
  expect(await tfjsEngine(missing)).toEqual({ unavailable: "its parts are missing" });
});

it("whoever asks for it by name gets an error of its own type, with the reason alone", async () => {
  const error: unknown = await loadEngine[kind]().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EngineUnavailable);
  expect(error).toMatchObject({ kind, why: expect.stringMatching(/^ONNX Runtime has this provider for/) as string });
});

it("is not taken for a step that lost its device or its memory", () => {
  const missing = new EngineUnavailable("onnx-cuda", "the driver says: out of memory");
  expect(engineFailure("onnx-cuda", missing)).toBe(missing);
  expect(engineFailure("onnx-cuda", new Error("out of memory"))).toBeInstanceOf(EngineFailure);
});
