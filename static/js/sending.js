// What a person entered never gets lost: submissions wait in the browser until the server has them, drafts go out early.
window.Offbeat = {};
(() => {
  "use strict";
  const O = window.Offbeat;
  const words = document.getElementById("words").dataset;
  const prefix = `offbeat:${words.slug}:${words.annotator}:`;
  const memory = new Map();
  const DRAFT_MS = 1000;
  let busy = false;
  let failing = "";
  let wait = 1000;
  let timer = 0;
  let savedAt = null;
  let draftTimer = 0;
  let draftedAt = null;

  // localStorage may be refused (private windows, full disk): then this page's memory must do.
  const store = {
    set(key, value) {
      memory.set(prefix + key, JSON.stringify(value));
      try { localStorage.setItem(prefix + key, JSON.stringify(value)); } catch { /* memory holds it */ }
    },
    get(key) {
      try { const found = localStorage.getItem(prefix + key); if (found) return JSON.parse(found); } catch { /* as above */ }
      return memory.has(prefix + key) ? JSON.parse(memory.get(prefix + key)) : null;
    },
    drop(key) {
      memory.delete(prefix + key);
      try { localStorage.removeItem(prefix + key); } catch { /* as above */ }
    },
    keys(start) {
      let kept = [];
      try { kept = Object.keys(localStorage); } catch { /* as above */ }
      return [...new Set([...kept, ...memory.keys()])].filter((k) => k.startsWith(prefix + start)).map((k) => k.slice(prefix.length));
    },
  };
  const clock = (date) => date.toLocaleTimeString([], { hour12: false });
  const queue = () => store.keys("sent:").map((k) => store.get(k)).filter(Boolean).sort((a, b) => a.at - b.at);
  const shown = () => document.getElementById("screen")?.dataset.seat || "";
  const csrf = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";

  function status() {
    const el = document.querySelector("#screen .status");
    const n = queue().length;
    let text = "";
    if (failing === "stranger" || (n && failing)) text = words[failing].replace("{n}", n);
    else if (n) text = words.saving;
    else if (draftedAt) text = words.drafted.replace("{time}", clock(draftedAt));
    else if (savedAt) text = words.saved.replace("{time}", clock(savedAt));
    if (el && text && el.textContent !== text) el.textContent = text;
    el?.classList.toggle("troubled", failing === "stranger" || Boolean(n && failing));
    const held = document.querySelector("#screen .held");
    if (held) held.hidden = !(n && failing) || failing === "stranger";
    askBack();
  }
  // Without its cookie this browser is nobody, however often it tries: only the person's own link helps.
  function askBack() {
    const notices = document.getElementById("notices");
    const there = notices?.querySelector("[data-invite]");
    if (failing !== "stranger") return void there?.remove();
    if (!notices || there) return;
    const link = Object.assign(document.createElement("a"), { href: words.invite, target: "_blank", rel: "noopener" });
    link.textContent = words.open;
    const p = document.createElement("p");
    p.className = "notice";
    p.dataset.invite = "";
    p.setAttribute("role", "alert");
    p.append(words.lost, " ", link);
    notices.replaceChildren(p);
  }
  async function refused(response) {
    failing = response.headers.get("X-Invite") ? "stranger" : "kept";
    if (failing === "stranger") return;
    // The cookie that forms are checked by is gone, and a new page brings a new one.
    const page = await fetch(words.task, { credentials: "same-origin" }).then((r) => r.text()).catch(() => "");
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("input[name=csrfmiddlewaretoken]");
    if (fresh) document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((field) => { field.value = fresh.value; });
  }

  function post(url, body, headers) {
    const sent = new URLSearchParams(body);
    sent.set("csrfmiddlewaretoken", csrf());
    return fetch(url, { method: "POST", body: sent, headers: { "HX-Request": "true", ...headers }, credentials: "same-origin" });
  }
  // True once the server has answered for good; what it refuses is not sent again.
  async function send(entry) {
    let response;
    try {
      response = await post(words.task, entry.body, { "X-Ahead": shown() });
    } catch {
      failing = "waiting";
      return false;
    }
    if (response.status === 403) {
      await refused(response);
      return false;
    }
    if (response.status >= 500 || response.status === 429) {
      failing = "kept";
      return false;
    }
    const body = await response.text().catch(() => null);
    if (body === null) {
      failing = "waiting";
      return false;
    }
    if (response.status === 422) store.set(`draft:${entry.seat}`, { revision: entry.revision, body: entry.body });
    store.drop(`sent:${entry.token}`);
    failing = "";
    wait = 1000;
    if (response.ok) savedAt = new Date();
    O.answered(entry, response, body, queue().length === 0);
    return true;
  }
  async function flush() {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    try {
      for (let next = queue()[0]; next; next = queue()[0]) {
        status();
        if (!(await send(next))) {
          timer = setTimeout(flush, wait);
          wait = Math.min(wait * 2, 30000);
          break;
        }
      }
    } finally {
      busy = false;
      status();
    }
    if (!queue().length) O.idle();
  }
  addEventListener("online", flush);
  document.addEventListener("visibilitychange", () => document.hidden || (queue().length && flush()));

  O.submitted = (entry) => {
    clearTimeout(draftTimer);
    draftTimer = 0;
    draftedAt = null;
    store.drop(`draft:${entry.seat}`);
    store.set(`sent:${entry.token}`, entry);
    tabs?.postMessage({ seat: entry.seat });
    if (navigator.onLine === false) failing = "waiting";
  };
  O.flush = flush;
  O.status = status;
  O.words = words;
  O.waiting = () => queue().length;
  O.isQueued = (seat) => queue().some((e) => e.seat === seat);

  // Drafts: kept here at once, on the server soon after.
  const form = () => document.querySelector("form.answer:not([data-sent])");
  const fieldsOf = (f) => new URLSearchParams(new FormData(f)).toString();
  async function sendDraft() {
    const f = form();
    draftTimer = 0;
    if (!f) return;
    O.measure(f);
    const seat = f.elements.assignment.value;
    try {
      const body = fieldsOf(f);
      const response = await post(words.draft, body);
      if (response.status === 403) {
        await refused(response);
        return void status();
      }
      if (!response.ok || f.dataset.sent) return;
      if (failing === "stranger") failing = "";
      if (store.get(`draft:${seat}`)?.body === body) store.drop(`draft:${seat}`);
      draftedAt = new Date();
      status();
    } catch { /* it is kept here, and goes with the next change or the submission */ }
  }
  O.changed = () => {
    const f = form();
    if (!f) return;
    O.measure(f);
    store.set(`draft:${f.elements.assignment.value}`, { revision: f.elements.revision.value, body: fieldsOf(f) });
    clearTimeout(draftTimer);
    draftTimer = setTimeout(sendDraft, DRAFT_MS);
  };
  addEventListener("pagehide", () => {
    const f = form();
    if (f && draftTimer) navigator.sendBeacon(words.draft, new URLSearchParams(new FormData(f)));
  });
  // A draft that the server never got comes from here.
  O.restore = (f) => {
    draftedAt = null;
    const kept = store.get(`draft:${f.elements.assignment.value}`);
    if (!kept || kept.revision !== f.elements.revision.value) return;
    for (const [name, value] of new URLSearchParams(kept.body)) {
      if (["csrfmiddlewaretoken", "assignment", "token", "revision", "skip"].includes(name)) continue;
      for (const el of f.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (el.type === "radio") el.checked = el.value === value;
        else el.value = value;
        if (value && el.closest("details")) el.closest("details").open = true;
      }
    }
    draftTimer = setTimeout(sendDraft, DRAFT_MS);
  };

  // A tab that shows what another tab has just submitted is told.
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel(prefix) : null;
  tabs?.addEventListener("message", (event) => {
    if (event.data.seat === shown() && form()) O.tell(words.stale);
  });
})();
