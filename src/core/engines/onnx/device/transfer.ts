/**
 * Copies arrays to the device and back by sessions: ONNX Runtime's Node binding cannot read device
 * tensors.
 */
import { InferenceSession, type SessionOptions, type Tensor } from "../runtime.ts";
import { encodeModel, type OnnxValue } from "../model.ts";

export class Transfer {
  readonly #options: SessionOptions;
  /** Copy sessions by direction and shapes. */
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  toDevice(tensors: readonly Tensor[]): Promise<Tensor[]> {
    return this.#copied(tensors, "gpu-buffer");
  }

  async toHost(tensors: readonly Tensor[]): Promise<Float32Array[]> {
    return (await this.#copied(tensors, "cpu")).map(({ data }) => data as Float32Array);
  }

  async #copied(tensors: readonly Tensor[], location: "cpu" | "gpu-buffer"): Promise<Tensor[]> {
    if (tensors.length === 0) return [];
    const shapes = tensors.map(({ dims }) => dims);
    const key = `${location} ${JSON.stringify(shapes)}`;
    let session = this.#sessions.get(key);
    if (!session) this.#sessions.set(key, (session = this.#session(shapes, location)));
    const results = await (await session).run(Object.fromEntries(tensors.map((tensor, i) => [`from${i}`, tensor])));
    return tensors.map((_, i) => results[`to${i}`] as Tensor);
  }

  #session(shapes: readonly (readonly number[])[], location: "cpu" | "gpu-buffer"): Promise<InferenceSession> {
    const values = (name: string): OnnxValue[] => shapes.map((dims, i) => ({ name: `${name}${i}`, type: "float", dims }));
    const graph = {
      nodes: shapes.map((_, i) => ({ type: "Identity", inputs: [`from${i}`], outputs: [`to${i}`], attributes: {} })),
      initializers: [],
      inputs: values("from"),
      outputs: values("to"),
    };
    const preferredOutputLocation = Object.fromEntries(shapes.map((_, i) => [`to${i}`, location]));
    return InferenceSession.create(encodeModel(graph), { ...this.#options, preferredOutputLocation });
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(async (session) => (await session).release()));
    this.#sessions.clear();
  }
}
