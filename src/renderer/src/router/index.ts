import { createRouter, createWebHashHistory } from "vue-router";
import NewExperimentPage from "@/pages/NewExperimentPage.vue";

declare module "vue-router" {
  interface RouteMeta {
    title: string;
  }
}

// Hash history: the same addresses work under the desktop app's own protocol and a plain web server.
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: "/", name: "new", component: NewExperimentPage, meta: { title: "New experiment" } },
    { path: "/runs", name: "runs", component: () => import("@/pages/HistoryPage.vue"), meta: { title: "Runs" } },
    { path: "/runs/:id", name: "run", component: () => import("@/pages/RunPage.vue"), props: true, meta: { title: "Run" } },
    { path: "/compare", name: "compare", component: () => import("@/pages/ComparePage.vue"), meta: { title: "Compare" } },
    { path: "/:rest(.*)*", name: "missing", component: () => import("@/pages/MissingPage.vue"), meta: { title: "Not found" } },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

router.afterEach((to) => {
  document.title = to.name === "new" ? "Hypertower" : `${to.meta.title} · Hypertower`;
});
