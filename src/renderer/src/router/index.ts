import { createRouter, createWebHashHistory } from "vue-router";
import ComparePage from "@/pages/ComparePage.vue";
import DatasetsPage from "@/pages/DatasetsPage.vue";
import EnginesPage from "@/pages/EnginesPage.vue";
import ExtendStudyPage from "@/pages/ExtendStudyPage.vue";
import HistoryPage from "@/pages/HistoryPage.vue";
import MachinesPage from "@/pages/MachinesPage.vue";
import MissingPage from "@/pages/MissingPage.vue";
import NetworksPage from "@/pages/NetworksPage.vue";
import NewExperimentPage from "@/pages/NewExperimentPage.vue";
import NewStudyPage from "@/pages/NewStudyPage.vue";
import OpenPage from "@/pages/OpenPage.vue";
import RunPage from "@/pages/RunPage.vue";
import StoragePage from "@/pages/StoragePage.vue";
import StudiesPage from "@/pages/StudiesPage.vue";
import StudyPage from "@/pages/StudyPage.vue";

declare module "vue-router" {
  interface RouteMeta {
    title: string;
  }
}

// Hash history works with both the desktop app's protocol and a plain web server.
export const router = createRouter({
  history: createWebHashHistory(),
  // Pages are in one bundle: an open window must not need files that a newer build has replaced.
  routes: [
    { path: "/", name: "new", component: NewExperimentPage, meta: { title: "New experiment" } },
    { path: "/runs", name: "runs", component: HistoryPage, meta: { title: "Runs" } },
    { path: "/runs/:id", name: "run", component: RunPage, props: true, meta: { title: "Run" } },
    { path: "/studies", name: "studies", component: StudiesPage, meta: { title: "Studies" } },
    { path: "/studies/new", name: "newStudy", component: NewStudyPage, meta: { title: "New study" } },
    { path: "/studies/:id", name: "study", component: StudyPage, props: true, meta: { title: "Study" } },
    { path: "/studies/:id/extend", name: "extendStudy", component: ExtendStudyPage, props: true, meta: { title: "Extend the study" } },
    { path: "/compare", name: "compare", component: ComparePage, meta: { title: "Compare" } },
    { path: "/datasets", name: "datasets", component: DatasetsPage, meta: { title: "Datasets" } },
    { path: "/networks", name: "networks", component: NetworksPage, meta: { title: "Networks" } },
    { path: "/engines", name: "engines", component: EnginesPage, meta: { title: "Engines" } },
    { path: "/machines", name: "machines", component: MachinesPage, meta: { title: "Machines" } },
    { path: "/storage", name: "storage", component: StoragePage, meta: { title: "Storage" } },
    { path: "/open/:kind/:payload", name: "open", component: OpenPage, props: true, meta: { title: "Open" } },
    { path: "/:rest(.*)*", name: "missing", component: MissingPage, meta: { title: "Not found" } },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

router.afterEach((to) => {
  document.title = to.name === "new" ? "Hypertower" : `${to.meta.title} · Hypertower`;
});
