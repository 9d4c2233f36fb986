/** The default theme without its fonts: the system's are there already, and nothing is fetched. */
import Theme from "vitepress/theme-without-fonts";
import { h } from "vue";
import training from "../../pictures/training.webp";
import "./style.css";

const picture = () => h("img", { class: "home-picture", src: training, width: 960, height: 635, alt: "A training in the workbench: the loss falls while level 1 moves Adam's step size" });

export default { extends: Theme, Layout: () => h(Theme.Layout, null, { "home-hero-image": picture }) };
