// Paper is white, and nothing can be unfolded on it: print in the light theme, with everything open.
(() => {
  const root = document.documentElement;
  let restore = null;

  function prepare() {
    if (restore) return;
    const { theme } = root.dataset;
    const folded = [...document.querySelectorAll("details:not([open])")];
    root.dataset.theme = "light";
    for (const details of folded) details.open = true;
    restore = () => {
      root.dataset.theme = theme;
      for (const details of folded) details.open = false;
      restore = null;
    };
  }

  // Browsers differ in which of the two they announce.
  addEventListener("beforeprint", prepare);
  addEventListener("afterprint", () => restore?.());
  matchMedia("print").addEventListener("change", (event) => (event.matches ? prepare() : restore?.()));
})();
