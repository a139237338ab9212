// A deck of a chapter: reveal.js without its scaling, so that explorers stay sharp and know where the pointer is.

globalThis.MathJax = {
  tex: { inlineMath: [["$", "$"]], processEscapes: true },
  options: { ignoreHtmlClass: "notes" },
};

// An explorer is made as large as its slide allows. It says by itself when it is ready, and has its height from then on.
const explorers = document.querySelectorAll("snn-lab");
const fit = () => {
  for (const explorer of Reveal.getCurrentSlide().querySelectorAll("snn-lab")) {
    const slide = explorer.closest("section");
    const { paddingTop, paddingBottom } = getComputedStyle(slide);
    const room = slide.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    // Larger is narrower inside, and narrower may be higher: so the largest that fits is tried for.
    for (let zoom = 1.6; zoom > 0.55; zoom -= 0.05) {
      explorer.style.zoom = zoom;
      if (explorer.getBoundingClientRect().height <= room) break;
    }
  }
};
for (const explorer of explorers) {
  explorer.setAttribute("data-prevent-swipe", "");
  new MutationObserver(fit).observe(explorer, { attributeFilter: ["data-ready"] });
}
addEventListener("resize", fit);

// Keys that are pressed in an explorer, or on a button, mean something there; those of a clicker always turn the slide.
const lives = (node) => node instanceof Element && node.matches("snn-lab, input, select, textarea, button, summary, label");

Reveal.initialize({
  disableLayout: true,
  hash: true,
  slideNumber: "c/t",
  transition: "none",
  keyboardCondition: (event) => event.key.startsWith("Page") || !event.composedPath().some(lives),
  plugins: [RevealNotes],
});
Reveal.on("ready", fit);
Reveal.on("slidechanged", fit);
