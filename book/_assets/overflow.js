// What is wider than its box can be scrolled: show on which sides there is more, and let the keyboard reach it.
(() => {
  const WIDE = `.bd-article :is(pre, .output, .pst-scrollable-table-container, .snn-figure > div, .snn-output,
    .snn-output > [role="region"], .claims-scroll, mjx-container[display])`;

  function mark(box) {
    const hidden = box.scrollWidth - box.clientWidth;
    const wide = hidden > 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    box.classList.toggle("snn-more-right", wide && box.scrollLeft < hidden - 1);
    box.classList.toggle("snn-more-left", wide && box.scrollLeft > 1);
    if (wide && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) mark(target);
  });
  function watch() {
    for (const box of document.querySelectorAll(WIDE)) {
      sizes.observe(box);
      box.addEventListener("scroll", () => mark(box), { passive: true });
    }
  }
  // Equations get their boxes from MathJax.
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(watch));
})();
