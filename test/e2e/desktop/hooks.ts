/** Loaded before the built app: `electron` becomes the stub beside this file; everything else stays as built. */
import { registerHooks } from "node:module";

const stub = new URL("./electronStub.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === "electron" ? { url: stub, shortCircuit: true } : nextResolve(specifier, context),
});
