// The definition of a word of the glossary: beside the link while the pointer or the keyboard is on it, Escape closes it.
(() => {
  const note = document.createElement("div");
  note.className = "snn-definition";
  note.id = "snn-definition";
  note.setAttribute("role", "tooltip");
  note.hidden = true;

  function show(link) {
    note.textContent = link.dataset.definition;
    note.hidden = false;
    const { left, top, bottom } = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - note.offsetWidth - 8;
    const below = bottom + 4 + note.offsetHeight < innerHeight;
    note.style.left = `${Math.max(8, Math.min(left, room))}px`;
    note.style.top = `${below ? bottom + 4 : top - note.offsetHeight - 4}px`;
  }
  const hide = () => {
    note.hidden = true;
  };

  addEventListener("DOMContentLoaded", () => {
    document.body.append(note);
    for (const link of document.querySelectorAll("a.snn-term[title]")) {
      link.dataset.definition = link.title; // the title is for readers without scripts
      link.removeAttribute("title");
      link.setAttribute("aria-describedby", note.id);
      for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => show(link));
      for (const event of ["mouseleave", "blur"]) link.addEventListener(event, hide);
    }
    addEventListener("keydown", (event) => event.key === "Escape" && hide());
    addEventListener("scroll", hide, { passive: true });
  });
})();
