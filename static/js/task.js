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
  let ended = new Set(); // responses whose end was on the screen
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
    f.elements.read_to_end.value = JSON.stringify([...ended]);
  };
  function look(el) {
    const id = el.closest("[data-response]")?.dataset.response;
    if (id) looked[id] = (looked[id] || 0) + 1;
  }
  O.look = look;
  // One look is a burst of scrolling, however many events it has.
  document.addEventListener("scroll", (event) => {
    watch();
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

  // A box that is cut says so, and is reached by Tab; what was read to its end is noted.
  const hiddenBelow = (box) => box.scrollHeight - box.clientHeight - box.scrollTop;
  const floor = () => {
    const dock = document.querySelector(".dock");
    return getComputedStyle(dock).position === "sticky" ? dock.getBoundingClientRect().top : innerHeight;
  };
  function watch() {
    if (!O.form()) return;
    const bottom = floor();
    for (const box of document.querySelectorAll(".answer .box")) {
      const cut = hiddenBelow(box) > 6 && getComputedStyle(box).overflowY !== "visible";
      box.dataset.watched = "";
      box.parentElement.classList.toggle("more", cut && !box.parentElement.matches(".folded"));
      if (cut && !box.parentElement.querySelector(":scope > .below")) box.after(below());
    }
    const dock = document.querySelector(".dock");
    const deck = document.querySelector(".deck");
    const over = bottom < innerHeight && deck.getBoundingClientRect().bottom > bottom + 24;
    dock.classList.toggle("over", over);
    if (over && !dock.querySelector(":scope > .below")) dock.append(below());
    if (!document.hidden) document.querySelectorAll(".card[data-response] .text").forEach((text) => noteEnd(text, bottom));
  }
  function below() {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "below", tabIndex: -1 });
    button.textContent = words.below;
    return button;
  }
  function noteEnd(text, bottom) {
    const id = Number(text.closest("[data-response]").dataset.response);
    const place = text.getBoundingClientRect();
    const deck = text.closest(".deck > .box")?.getBoundingClientRect();
    const end = Math.min(bottom, deck && getComputedStyle(text.closest(".deck > .box")).overflowY !== "visible" ? deck.bottom : bottom);
    if (ended.has(id) || !place.height || hiddenBelow(text) > 12 || place.bottom > end + 4 || place.bottom < 0) return;
    ended.add(id);
    text.closest(".card").querySelector(":scope > .why")?.remove();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".below");
    if (!button) return;
    const box = button.parentElement.matches(".dock") ? document.scrollingElement : button.parentElement.querySelector(":scope > .box");
    scrollOn(box, 1);
    // Keys read on in the box itself.
    if (box.tabIndex === 0) box.focus({ preventScroll: true });
    else button.blur();
  });
  function scrollOn(box, by) {
    const page = box === document.scrollingElement ? floor() : box.clientHeight;
    box.scrollBy({ top: by * Math.max(40, page - 60) });
  }
  // Space and Page Down read on in the marked response, else in the first that has more.
  O.scroll = (by) => {
    const boxes = [...document.querySelectorAll(".card .text")].filter((box) => box.getClientRects().length && box.scrollHeight > box.clientHeight + 6 && getComputedStyle(box).overflowY !== "visible");
    const rest = boxes.filter((box) => (by > 0 ? hiddenBelow(box) > 6 : box.scrollTop > 0));
    const box = rest.find((one) => one.closest(".card.at")) || rest[0];
    const deck = document.querySelector(".deck > .box");
    if (box) scrollOn(box, by);
    else if (deck && (by > 0 ? hiddenBelow(deck) > 6 : deck.scrollTop > 0)) scrollOn(deck, by);
    else return false;
    return true;
  };
  new ResizeObserver(watch).observe(document.documentElement);
  addEventListener("load", watch);

  // A long prompt is folded to two lines; who unfolds it finds it so as long as the prompt is the same.
  let unfolded = "";
  function fold() {
    const prompt = document.getElementById("prompt");
    const asks = prompt.parentElement;
    const button = asks.querySelector("[data-unfold]");
    if (!button) return;
    asks.classList.remove("folded");
    const line = parseFloat(getComputedStyle(prompt).lineHeight);
    button.hidden = prompt.scrollHeight < 3.5 * line;
    const open = button.hidden || unfolded === prompt.textContent;
    asks.classList.toggle("folded", !open);
    button.setAttribute("aria-expanded", String(open));
    const turns = prompt.querySelectorAll(".turn").length;
    button.textContent = open ? words.fold : turns ? words.turns.replace("{n}", turns) : words.unfold;
    if (open) return;
    prompt.scrollTop = 0;
    prompt.tabIndex = -1;
  }
  O.unfold = () => {
    const prompt = document.getElementById("prompt");
    if (prompt.parentElement.querySelector("[data-unfold]").hidden) return false;
    unfolded = unfolded === prompt.textContent ? "" : prompt.textContent;
    fold();
    reachable();
    watch();
    return true;
  };
  document.addEventListener("click", (event) => event.target.closest("[data-unfold]") && O.unfold());

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
    try { ended = new Set(JSON.parse(f.elements.read_to_end.value || "[]")); } catch { ended = new Set(); }
    document.querySelectorAll("[data-keys-open]").forEach((b) => { b.hidden = false; });
    O.sets?.();
    fold();
    reachable();
    O.start?.(swapped);
    watch();
    if (O.isQueued(f.elements.assignment.value)) hold(f);
    else if (!O.waiting()) prefetch();
  }
  O.fresh = fresh;
  // What scrolls by itself is reached by Tab as well.
  function reachable() {
    document.querySelectorAll(".rich :is(table, pre, p)").forEach((box) => { if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; });
    document.querySelectorAll(".prompt, .card .text").forEach((box) => {
      if (box.scrollHeight <= box.clientHeight + 1 || getComputedStyle(box).overflowY === "visible" || box.closest(".folded")) return;
      box.tabIndex = 0;
      if (box.matches("h1")) return;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.closest(".card")?.getAttribute("aria-label") || document.querySelector(".asks h1").textContent);
    });
  }

  // Where the study wants it, nothing is submitted before the end of every response was seen.
  function unread() {
    if (!("mustRead" in O.screen().dataset)) return false;
    const left = [...document.querySelectorAll(".card[data-response]")].filter((card) => !ended.has(Number(card.dataset.response)));
    left.forEach((card) => {
      if (card.querySelector(":scope > .why")) return;
      card.querySelector(".passage").before(Object.assign(document.createElement("p"), { className: "why", role: "alert", textContent: words.unread }));
    });
    left[0]?.scrollIntoView({ block: "nearest" });
    left[0]?.querySelector(".text").focus({ preventScroll: true });
    return left.length > 0;
  }
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
    if (!skip && (missing(f) || unread())) return;
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
    // The page that comes next is there already.
    if ((response.headers.get("Content-Type") || "").includes("json")) return;
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
