// Keys and active time on a task page. Without this file the page is an ordinary form.
(() => {
  "use strict";
  const IDLE_MS = 30000;
  const form = () => document.querySelector("form.answer");
  const questions = () => [...document.querySelectorAll("[data-question]")];
  const answered = (q) => q.querySelector("input:checked") || (q.querySelector("textarea, input[type=number]") || {}).value;
  const typing = (el) => el && (el.tagName === "TEXTAREA" || (el.tagName === "INPUT" && el.type === "number"));
  let active = 0;
  let last = 0;

  function mark(question) {
    questions().forEach((q) => q.classList.toggle("current", q === question));
  }
  function current() {
    const all = questions();
    return all.find((q) => q.classList.contains("current")) || all.find((q) => !answered(q)) || all[0];
  }
  function go(question) {
    if (!question) return;
    mark(question);
    const field = question.querySelector("textarea, input[type=number]");
    if (field) field.focus();
    question.closest(".card, fieldset").scrollIntoView({ block: "nearest" });
  }
  function after(question) {
    const all = questions();
    const rest = all.slice(all.indexOf(question) + 1);
    go(rest.find((q) => !answered(q)) || all.find((q) => !answered(q)) || question);
  }
  function fresh(saved) {
    active = 0;
    last = document.hidden ? 0 : performance.now();
    const open = document.querySelector("[data-keys-open]");
    if (open) open.hidden = false;
    document.querySelectorAll("time[data-local]").forEach((t) => {
      t.textContent = new Date(t.dateTime).toLocaleTimeString([], { hour12: false });
    });
    mark(questions().find((q) => !answered(q)) || questions()[0]);
    if (saved) {
      window.scrollTo(0, 0);
      const problem = document.querySelector(".question.problem");
      if (problem) go(problem);
      else document.getElementById("prompt")?.focus({ preventScroll: true });
    }
  }
  // Time counts while the page is seen and somebody does something at least every half minute.
  function tick() {
    const now = performance.now();
    if (last) active += Math.min(now - last, IDLE_MS);
    last = document.hidden ? 0 : now;
  }
  ["pointermove", "pointerdown", "keydown", "scroll", "wheel", "touchstart"].forEach((type) =>
    addEventListener(type, tick, { passive: true, capture: true }));
  document.addEventListener("visibilitychange", tick);

  function submit() {
    const f = form();
    if (f) f.requestSubmit();
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.answer")) return;
    tick();
    event.target.elements.active_ms.value = Math.round(active);
  }, true);

  document.addEventListener("keydown", (event) => {
    const dialog = document.getElementById("keys");
    if (event.ctrlKey || event.metaKey || event.altKey || !form() || (dialog && dialog.open)) return;
    const el = document.activeElement;
    if (event.key === "Enter") {
      if (el && (el.matches("button, a, summary, textarea"))) return;
      event.preventDefault();
      submit();
    } else if (typing(el)) {
      return;
    } else if (event.key === "?") {
      dialog.showModal();
    } else if (event.key === "Backspace") {
      const all = questions();
      event.preventDefault();
      go(all[Math.max(0, all.indexOf(current()) - 1)]);
    } else if (/^[0-9]$/.test(event.key)) {
      const question = current();
      const option = question && question.querySelector(`input[data-key="${event.key}"]`);
      if (!option) return;
      event.preventDefault();
      option.checked = true;
      option.dispatchEvent(new Event("change", { bubbles: true }));
      after(question);
    }
  });
  document.addEventListener("focusin", (event) => {
    const question = event.target.closest("[data-question]");
    if (question) mark(question);
  });
  document.addEventListener("change", (event) => {
    const question = event.target.closest("[data-question]");
    if (question) question.classList.remove("problem");
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) document.getElementById("keys").showModal();
  });
  document.addEventListener("htmx:after:swap", () => fresh(true));
  fresh(false);
})();
