// A task page from opening to submission: time, checks, the page ahead. Without these files it is an ordinary form.
(() => {
  "use strict";
  const O = window.Offbeat;
  const { words } = O;
  const IDLE_MS = 30000;
  let active = 0;
  let last = 0;
  let opened = 0;
  let first = null;
  let changes = 0;
  let looked = {};
  let before = new Map();
  let scrolling = new Map();
  let ahead = null;

  O.screen = () => document.getElementById("screen");
  O.form = () => document.querySelector("form.answer");
  O.questions = () => [...document.querySelectorAll("form.answer [data-question]")].filter((q) => !q.closest("[hidden]"));
  O.valueOf = (q) => {
    const typed = q.querySelector("textarea, input[type=number]");
    return typed ? typed.value.trim() : q.querySelector("input:checked")?.value || "";
  };
  O.choose = (q, value) => {
    const typed = q.querySelector("textarea, input[type=number]");
    if (typed) typed.value = value;
    else q.querySelectorAll("input[type=radio]").forEach((r) => { r.checked = r.value === String(value); });
    (typed || q.querySelector("input:checked") || q).dispatchEvent(new Event("change", { bubbles: true }));
  };

  // Time counts while the page is seen and somebody does something at least every half minute.
  function tick() {
    const now = performance.now();
    if (last) active += Math.min(now - last, IDLE_MS);
    last = document.hidden ? 0 : now;
  }
  ["pointermove", "pointerdown", "keydown", "scroll", "wheel", "touchstart"].forEach((type) =>
    addEventListener(type, tick, { passive: true, capture: true }));
  document.addEventListener("visibilitychange", tick);
  O.measure = (f) => {
    tick();
    f.elements.active_ms.value = Math.round(active);
    f.elements.first_ms.value = first === null ? "" : Math.round(first);
    f.elements.changes.value = changes;
    f.elements.looked.value = Object.keys(looked).length ? JSON.stringify(looked) : "";
  };
  function look(el) {
    const id = el.closest("[data-response]")?.dataset.response;
    if (id) looked[id] = (looked[id] || 0) + 1;
  }
  O.look = look;
  // One look is a burst of scrolling, however many events it has.
  document.addEventListener("scroll", (event) => {
    const box = event.target.closest?.(".card .text");
    if (!box) return;
    if (box.dataset.led !== undefined) return void delete box.dataset.led;
    if (!scrolling.has(box)) look(box);
    clearTimeout(scrolling.get(box));
    scrolling.set(box, setTimeout(() => scrolling.delete(box), 1000));
    lead(box);
  }, { capture: true, passive: true });
  // The boxes of a pair scroll together, each by its own length.
  function lead(box) {
    if (!("sync" in O.screen().dataset)) return;
    const part = box.scrollTop / Math.max(1, box.scrollHeight - box.clientHeight);
    for (const other of document.querySelectorAll(".card .text")) {
      const top = Math.round(part * (other.scrollHeight - other.clientHeight));
      if (other === box || Math.abs(other.scrollTop - top) < 2) continue;
      other.dataset.led = "";
      other.scrollTop = top;
    }
  }
  document.addEventListener("click", (event) => {
    const text = event.target.closest(".card .text");
    if (text && !scrolling.has(text)) look(text);
  });

  function noted(event) {
    const field = event.target;
    if (!field.name || !field.closest("form.answer")) return;
    if (first === null) first = performance.now() - opened;
    const q = field.closest("[data-question]");
    if (q && event.type === "change") {
      const was = before.get(q);
      const now = O.valueOf(q);
      if (was && was !== now) changes += 1;
      before.set(q, now);
      q.classList.remove("problem");
      q.querySelector(".why")?.remove();
    }
    O.changed();
    O.sets?.();
  }
  document.addEventListener("input", noted);
  document.addEventListener("change", noted);

  function fresh(swapped) {
    const f = O.form();
    O.status();
    if (!f) return;
    O.restore(f);
    last = document.hidden ? 0 : performance.now();
    opened = performance.now();
    const kept = (name) => Number(f.elements[name].value) || 0;
    active = kept("active_ms");
    changes = kept("changes");
    first = f.elements.first_ms.value ? kept("first_ms") : null;
    try { looked = JSON.parse(f.elements.looked.value || "{}"); } catch { looked = {}; }
    before = new Map(O.questions().map((q) => [q, O.valueOf(q)]));
    scrolling = new Map();
    document.querySelectorAll("[data-keys-open]").forEach((b) => { b.hidden = false; });
    const dock = document.querySelector(".dock");
    O.screen().style.setProperty("--dock", `${dock.offsetHeight + 16}px`);
    // What scrolls by itself is reached by Tab as well.
    document.querySelectorAll(".prompt, .card .text").forEach((box) => {
      if (box.scrollHeight <= box.clientHeight + 1) return;
      box.tabIndex = 0;
      if (box.matches(".prompt")) return;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.closest(".card").getAttribute("aria-label"));
    });
    O.start?.(swapped);
    O.sets?.();
    if (O.isQueued(f.elements.assignment.value)) hold(f);
    else if (!O.waiting()) prefetch();
  }
  O.fresh = fresh;

  function missing(f) {
    const left = O.questions().filter((q) => "required" in q.dataset && !O.valueOf(q));
    left.forEach((q) => {
      if (q.querySelector(".why")) return;
      q.classList.add("problem");
      const why = document.createElement("p");
      why.className = "why";
      why.setAttribute("role", "alert");
      why.textContent = words.missing;
      q.querySelector("legend").after(why);
    });
    if (left.length) O.go(left[0]);
    return left.length > 0;
  }
  function hold(f) {
    f.dataset.sent = "";
    f.setAttribute("aria-busy", "true");
    f.querySelectorAll("button").forEach((b) => { b.disabled = true; });
    const note = document.createElement("p");
    note.className = "notice held";
    note.setAttribute("role", "status");
    note.hidden = true;
    note.textContent = words.offline;
    f.querySelector(".dock").prepend(note);
  }
  document.addEventListener("submit", (event) => {
    const f = event.target;
    if (!f.matches("form.answer")) return;
    event.preventDefault();
    if ("sent" in f.dataset) return;
    const skip = event.submitter?.name === "skip";
    O.showAll?.();
    if (!skip && missing(f)) return;
    O.measure(f);
    const body = new URLSearchParams(new FormData(f));
    if (skip) body.set("skip", "1");
    back = "";
    const { assignment, token, revision } = Object.fromEntries(body);
    O.submitted({ seat: assignment, token, revision, body: body.toString(), at: Date.now() });
    const next = ahead && ahead.after === assignment ? ahead.page : null;
    ahead = null;
    if (next) show(next);
    else hold(f);
    O.flush();
  });

  const parse = (html) => new DOMParser().parseFromString(html, "text/html").getElementById("screen");
  function show(page) {
    O.screen().replaceWith(page);
    window.scrollTo(0, 0);
    fresh(true);
  }
  O.tell = (text) => {
    const p = document.createElement("p");
    p.className = "notice";
    p.setAttribute("role", "alert");
    p.textContent = text;
    document.getElementById("notices")?.replaceChildren(p);
  };
  // The server's answer to a submission. It decides what is shown, once nothing else waits to be sent.
  O.answered = (entry, response, body, isLast) => {
    const to = response.headers.get("HX-Redirect");
    if (to) return void (isLast && location.assign(to));
    if ((response.headers.get("Content-Type") || "").includes("json")) {
      const progress = document.querySelector("[data-progress]");
      if (progress) progress.textContent = JSON.parse(body).progress;
      return;
    }
    const page = parse(body);
    if (!page) return void (isLast && location.assign(words.task));
    const here = O.screen().dataset.seat;
    const other = here !== page.dataset.seat || "sent" in (O.form()?.dataset || {});
    if (isLast && other) show(page);
    else if (response.status === 409) {
      const notices = document.getElementById("notices");
      const said = page.querySelector("#notices .notice");
      if (notices && said) notices.append(said);
    }
  };
  // The page before exists for the server once the answers given there have arrived.
  let back = "";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-back]");
    if (!link || !O.waiting()) return;
    event.preventDefault();
    back = link.href;
  });
  O.idle = () => {
    if (back) return void location.assign(back);
    const f = O.form();
    if (f && !("sent" in f.dataset)) prefetch();
  };
  let asking = "";
  async function prefetch() {
    const { seat, forward } = O.screen().dataset;
    if (forward === undefined || asking === seat || ahead?.after === seat) return;
    asking = seat;
    try {
      const response = await fetch(`${words.ahead}?after=${seat}`, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (response.status === 200 && !response.headers.get("HX-Redirect")) {
        const page = parse(await response.text());
        if (page && page.dataset.seat !== seat && O.screen().dataset.seat === seat) ahead = { after: seat, page: document.adoptNode(page) };
      }
    } catch { /* then the next page comes with the answer */ }
    asking = "";
  }
  O.hasAhead = () => Boolean(ahead);
})();
