/** The application menu: standard roles, the data folder, and the guide. */
import { app, Menu, shell, type MenuItemConstructorOptions } from "electron";
import { hostLog } from "../logs/hostLog.ts";
import { openGuide } from "./guide.ts";

export function setMenu(storeDir: string): void {
  const showData: MenuItemConstructorOptions = {
    label: "Show Data Folder",
    click: () => {
      void shell.openPath(storeDir).then((problem) => {
        if (problem) hostLog.warn(`${storeDir} could not be shown: ${problem}`);
      });
    },
  };
  const mac = process.platform === "darwin";
  const guide: MenuItemConstructorOptions = { label: "Guide", accelerator: "F1", click: () => openGuide() };
  const about: MenuItemConstructorOptions = { label: "About Hypertower", click: () => app.showAboutPanel() };
  const view: MenuItemConstructorOptions[] = [
    { role: "reload" },
    { role: "toggleDevTools" },
    { type: "separator" },
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { type: "separator" },
    { role: "togglefullscreen" },
  ];
  const template: MenuItemConstructorOptions[] = [
    { label: "File", submenu: [showData, { type: "separator" }, { role: mac ? "close" : "quit" }] },
    { role: "editMenu" },
    { label: "View", submenu: view },
    { role: "windowMenu" },
  ];
  template.push({ role: "help", submenu: mac ? [guide] : [guide, { type: "separator" }, about] });
  if (mac) template.unshift({ role: "appMenu" });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
