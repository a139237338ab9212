// Questions of a quiz that are answered by a number: JupyterQuiz gives their field no name, so a screen reader hears none.
(() => {
  function name() {
    for (const field of document.querySelectorAll(".Quiz input[type='text']:not([aria-label])")) {
      const question = field.closest(".Quiz").querySelector(".Qtext")?.textContent.trim();
      field.setAttribute("aria-label", question ? `number, the answer to: ${question}` : "number");
    }
  }

  addEventListener("DOMContentLoaded", () => {
    name();
    new MutationObserver(name).observe(document.querySelector(".bd-article") ?? document.body, { childList: true, subtree: true });
  });
})();
