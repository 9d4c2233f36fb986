// Sets the theme's class before the first paint. A file of its own because the page's policy allows no inline script.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("hypertower.theme") ?? "system";
  } catch {
    // Storage may be blocked; the system's theme is then the right one.
  }
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
