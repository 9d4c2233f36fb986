/** The default theme without its fonts: the system's are there already, and nothing is fetched. */
import Theme from "vitepress/theme-without-fonts";
import "./style.css";

export default Theme;
