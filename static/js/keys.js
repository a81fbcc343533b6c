// Every key of a task page, and which question they speak to.
(() => {
  "use strict";
  const O = window.Offbeat;
  let digits = null; // after a 0: the digits typed so far
  const dialog = () => document.getElementById("keys");
  // The sheet holds the keys of this page alone.
  function openSheet() {
    dialog().querySelectorAll("[data-for]").forEach((line) => { line.hidden = !document.querySelector(line.dataset.for); });
    dialog().showModal();
  }
  const isText = (el) => el && (el.tagName === "TEXTAREA" || (el.tagName === "INPUT" && el.type === "number"));
  // Ranks and piles of a large set have number fields, but keys speak to the marked response all the same.
  const isPlace = (q) => q?.dataset.control === "place";

  function mark(question) {
    document.querySelectorAll("[data-question]").forEach((q) => q.classList.toggle("current", q === question));
    document.querySelectorAll(".card").forEach((c) => c.classList.toggle("at", c.contains(question)));
  }
  O.current = () => {
    const all = O.questions();
    return all.find((q) => q.classList.contains("current")) || all.find((q) => !O.valueOf(q)) || all[0];
  };
  O.go = (question) => {
    if (!question) return;
    const inside = document.activeElement?.closest?.("[data-question]");
    mark(question);
    const typed = question.querySelector("textarea, input[type=number]");
    if (typed && !isPlace(question)) typed.focus({ preventScroll: true });
    else if (inside && inside !== question) {
      // Whoever goes by Tab finds the focus where the mark is.
      const radio = question.querySelector("input:checked") || question.querySelector("input[type=radio]");
      if (radio) radio.focus({ preventScroll: true });
      else document.activeElement.blur();
    }
    const dock = question.closest(".dock");
    if (!dock || getComputedStyle(dock).position !== "sticky") (question.closest(".card") || question).scrollIntoView({ block: "nearest" });
    else inView(question, question.closest(".asked"));
  };
  // The dock stands still; only what is in it may scroll.
  function inView(question, box) {
    const [q, b] = [question.getBoundingClientRect(), box.getBoundingClientRect()];
    if (q.top < b.top) box.scrollTop -= b.top - q.top;
    else if (q.bottom > b.bottom) box.scrollTop += q.bottom - b.bottom;
  }
  O.after = (question) => {
    const all = O.questions();
    const rest = all.slice(all.indexOf(question) + 1);
    // Nobody is led into a field that may stay empty: what follows would be typed there, and Enter not submit.
    const open = (q) => !O.valueOf(q) && ("required" in q.dataset || !q.querySelector("textarea"));
    O.go(rest.find(open) || all.find(open) || question);
  };
  const step = (by) => {
    const all = O.questions();
    O.go(all[Math.min(all.length - 1, Math.max(0, all.indexOf(O.current()) + by))]);
  };
  O.start = (swapped) => {
    O.startSets();
    digits = null;
    const all = O.questions();
    const at = all.find((q) => q.classList.contains("problem")) || all.find((q) => !O.valueOf(q)) || all[0];
    mark(at);
    if (!swapped) return;
    if (at?.classList.contains("problem")) O.go(at);
    else document.getElementById("prompt")?.focus({ preventScroll: true });
  };

  function place(q, n) {
    if (!q) return false;
    const option = [...q.querySelectorAll("input[data-key]")].find((o) => o.dataset.key === n);
    const field = isPlace(q) && q.querySelector("input[type=number]");
    if (option) O.choose(q, option.value);
    else if (field && Number(n) >= 1 && Number(n) <= Number(field.max)) O.choose(q, Number(n));
    else return false;
    O.after(q);
    return true;
  }
  const offers = (q, key) => Boolean(q?.querySelector(`input[data-key="${key}"]`));
  // True where the digit meant something.
  function digit(key) {
    const q = O.current();
    if (digits !== null) {
      digits += key;
      if (digits.length < 2) return true;
      const n = String(Number(digits));
      digits = null;
      return O.pileTold(Number(n)) || place(q, n);
    }
    if (key === "0" && !offers(q, "0")) {
      digits = "";
      return true;
    }
    if (O.pileTold(Number(key)) || place(q, key)) return true;
    const typed = q?.querySelector("input[type=number]");
    if (typed) typed.focus(); // and the digit goes into it
    return false;
  }
  const write = () => {
    const fields = O.questions().filter((q) => q.querySelector("textarea"));
    const field = fields.find((q) => q === O.current()) || fields.find((q) => !O.valueOf(q)) || fields[0];
    O.go(field);
    return Boolean(field);
  };
  const details = (name) => {
    const field = O.form()?.elements[name];
    if (!field) return false;
    field.closest("details").open = true;
    field.focus();
    return true;
  };
  const follow = (selector) => {
    const link = document.querySelector(selector);
    link?.click();
    return Boolean(link);
  };
  const letters = {
    j: () => step(1) || true,
    k: () => step(-1) || true,
    b: () => follow("[data-back]"),
    g: () => follow("[data-go-on]"),
    w: write,
    c: () => details("comment"),
    f: () => details("flag"),
    s: () => {
      const skip = document.querySelector("button[name=skip]");
      skip?.focus();
      return Boolean(skip);
    },
    o: () => O.unfold(),
    n: () => O.newPile(O.current()),
    m: () => O.ask("merge"),
    p: () => O.showAll() || O.ask("view"),
    u: () => O.move(O.current(), -1),
    d: () => O.move(O.current(), 1),
  };
  // Other alphabets have the same keys in the same places.
  const letterOf = (event) => (/^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : "");

  document.addEventListener("keydown", (event) => {
    if (!O.form() || dialog()?.open || event.altKey || event.isComposing) return;
    const el = document.activeElement;
    const chord = event.ctrlKey || event.metaKey;
    // A key that is held answers one question and no more; only those that move go on.
    if (event.repeat && !isText(el) && !chord && !/^(Enter|[jk]|Tab|Backspace| |Page\w+|Arrow\w+)$/i.test(event.key)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter") {
      if (!chord && el?.matches("button, a, summary, textarea")) return;
      event.preventDefault();
      if (!event.repeat) O.form().requestSubmit();
    } else if (chord) {
      return;
    } else if (event.key === "Escape") {
      if (isText(el)) el.blur();
      else if (!O.stopAsking()) O.showAll();
    } else if (isText(el)) {
      return;
    } else if (event.key === "?") {
      event.preventDefault();
      openSheet();
    } else if (/^( |PageDown|PageUp)$/.test(event.key) && !el?.matches("input, button, a, summary, .text, .prompt[tabindex='0']")) {
      if (O.scroll(event.key === "PageUp" || event.shiftKey ? -1 : 1)) event.preventDefault();
    } else if (event.key === "Backspace") {
      event.preventDefault();
      step(-1);
    } else if (/^[0-9-]$/.test(event.key)) {
      if (event.key === "-" ? place(O.current(), "-") : digit(event.key)) event.preventDefault();
    } else if (!event.shiftKey && letters[letterOf(event)]?.()) {
      event.preventDefault();
    }
  });
  document.addEventListener("focusin", (event) => {
    const question = event.target.closest("[data-question]");
    if (question) mark(question);
  });
  // A press on a response marks it: keys speak to it then.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) openSheet();
    const q = event.target.closest(".card .text, .card h2")?.closest(".card").querySelector("[data-question]");
    if (q) mark(q);
  });
  O.fresh(false);
  O.flush();
})();
