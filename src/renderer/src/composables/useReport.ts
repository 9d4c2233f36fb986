/** Actions of a report menu. */
import { ref, type Ref } from "vue";
import { ElMessage } from "element-plus";
import { useClipboard } from "@vueuse/core";
import type { PictureSettings, ReportSubject } from "@shared/reports.ts";
import { encodeLink, openPath, type Shared } from "@shared/sharing.ts";
import { attempt } from "@/composables/useNotify.ts";
import { download, downloadReportFile } from "@/lib/download.ts";
import { useApp } from "@/stores/app.ts";

export interface ReportActions {
  readonly busy: Ref<boolean>;
  /** Whether the figures dialog is open. */
  readonly pictures: Ref<boolean>;
  /** @param command command of a `ReportItems` item */
  run(command: string): Promise<void>;
}

/** @param settings the page's settings, so that saved figures look like it */
export function useReport(of: () => ReportSubject, definition: () => Shared, settings: () => Partial<PictureSettings> = () => ({})): ReportActions {
  const busy = ref(false);
  const pictures = ref(false);
  const app = useApp();
  const { copy } = useClipboard({ legacy: true });

  async function copyLink(): Promise<void> {
    const shared = definition();
    // A browser can open the address; the desktop app imports the text.
    await copy(app.info?.host === "desktop" ? encodeLink(shared) : `${location.origin}/#${openPath(shared)}`);
    ElMessage({ type: "success", message: `The ${shared.kind} was copied to the clipboard. Open it in any workbench with “Import…”.`, grouping: true });
  }

  async function run(command: string): Promise<void> {
    if (command === "pictures") {
      pictures.value = true;
      return;
    }
    busy.value = true;
    await attempt("Nothing was exported", async () => {
      if (command === "link") await copyLink();
      else if (command === "definition") {
        const { kind, value } = definition();
        download(`${kind}.json`, "application/json", `${JSON.stringify(value, null, 2)}\n`);
      } else await downloadReportFile({ of: of(), file: command, settings: settings() });
    });
    busy.value = false;
  }

  return { busy, pictures, run };
}
