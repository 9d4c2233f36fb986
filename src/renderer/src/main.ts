import { createApp } from "vue";
import { createPinia } from "pinia";
import { z } from "zod";
import "./styles/index.css";
import App from "./App.vue";
import { router } from "./router/index.ts";
import { notifyError } from "./composables/useNotify.ts";
import { ConnectionLost } from "./transport/client.ts";

// The content security policy forbids generated code, which zod would use for speed.
z.config({ jitless: true });
window.hypertowerCharts = {};

const app = createApp(App);

function report(error: unknown): void {
  console.error(error);
  if (!(error instanceof ConnectionLost)) notifyError("Something went wrong in this window", error);
}
app.config.errorHandler = report;
window.addEventListener("unhandledrejection", (event) => report(event.reason));

app.use(createPinia()).use(router).mount("#app");
