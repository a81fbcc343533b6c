// Enter, digits and copying on the pages around the task. Without this file they are ordinary forms and links.
(() => {
  "use strict";
  const questions = () => [...document.querySelectorAll("[data-question]")];
  const open = (q) => !q.querySelector("input:checked");

  function choose(key) {
    const at = document.activeElement && document.activeElement.closest("[data-question]");
    const question = at || questions().find(open);
    const option = question && question.querySelector(`input[data-key="${key}"]`);
    if (!option) return;
    option.checked = true;
    const next = questions().slice(questions().indexOf(question) + 1).find(open);
    ((next && next.querySelector("input")) || option).focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const el = document.activeElement;
    if (event.key === "Enter" && !(el && el.matches("button, a, summary, textarea, input[type=text]"))) {
      const go = document.querySelector("[data-enter]");
      if (!go) return;
      event.preventDefault();
      go.click();
    } else if (/^[1-9]$/.test(event.key) && document.querySelector("[data-check]")) {
      choose(event.key);
    }
  });
  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.value || from.textContent);
      button.textContent = button.dataset.copied;
    });
  });
})();
