// Sets: groups one can see, make, merge and look at together, and the ranks so far; by keys, by clicks and by dragging.
(() => {
  "use strict";
  const O = window.Offbeat;
  const { words } = O;
  let seen = "";  // "<criterion>:<group>" of the group that is shown alone
  let asked = null; // what the next digits mean: {what, criterion, piles}
  let dragged = null; // the card that is on its way to a group or rank

  const asks = (criterion) => [...document.querySelectorAll(`form.answer [data-criterion="${criterion}"]`)];
  const card = (q) => q.closest(".card");
  const numbers = (criterion) => [...new Set(asks(criterion).map(O.valueOf).filter(Boolean).map(Number))].sort((a, b) => a - b);
  const members = (criterion, n) => asks(criterion).filter((q) => Number(O.valueOf(q)) === n);
  const board = (criterion) => document.querySelector(`.board[data-piles="${criterion}"], .board[data-ranks="${criterion}"]`);
  const criterionOf = (box) => box.dataset.piles || box.dataset.ranks;
  const isPiled = (q) => Boolean(q && document.querySelector(`[data-piles="${q.dataset.criterion}"]`));
  const isRanked = (q) => Boolean(q && document.querySelector(`[data-ranks="${q.dataset.criterion}"]`));
  const hue = (el, n) => el.style.setProperty("--pile", n);
  const most = (q) => Number(q.querySelector("input[type=number]")?.max || q.querySelectorAll("input").length);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function element(tag, className, text, data = {}) {
    const el = Object.assign(document.createElement(tag), { className, textContent: text });
    if (tag === "button") el.type = "button";
    Object.assign(el.dataset, data);
    return el;
  }
  // A response on a board: its number and its first words. A click shows it, and it can be dragged.
  function member(q) {
    const { number, response } = card(q).dataset;
    const el = element("button", "member", number, { of: response });
    el.title = fill(words.response, { n: number });
    el.draggable = true;
    const text = card(q).querySelector(".text").textContent.trim();
    el.append(element("span", "", text.slice(0, 40)));
    return el;
  }
  function line(box, n, title) {
    const criterion = criterionOf(box);
    const li = element("li", "group", "", { to: n });
    const put = element("button", "small put", title, { put: n });
    const there = members(criterion, n);
    const list = element("span", "members", "");
    list.append(...(there.length ? there.map(member) : [element("span", "none", words.empty)]));
    li.append(put, list);
    return li;
  }
  function drawPiles(box) {
    const criterion = box.dataset.piles;
    redraw(box, numbers(criterion).map((n) => {
      const li = line(box, n, fill(words.pile, { n }));
      li.dataset.pile = n;
      hue(li, n);
      const see = element("button", "small plain see", words.together, { see: n });
      see.setAttribute("aria-pressed", String(seen === `${criterion}:${n}`));
      if (members(criterion, n).length > 1) li.append(see);
      return li;
    }));
    asks(criterion).forEach((q) => {
      const n = O.valueOf(q);
      card(q).classList.toggle("piled", Boolean(n));
      hue(card(q), n || 0);
      const h2 = card(q).querySelector("h2");
      if (n) h2.dataset.pile = fill(words.pile, { n });
      else delete h2.dataset.pile;
    });
    box.querySelector("[data-all]").hidden = !seen.startsWith(`${criterion}:`);
  }
  function drawRanks(box) {
    const all = asks(box.dataset.ranks);
    redraw(box, all.map((_, i) => line(box, i + 1, i ? fill(words.rank, { n: i + 1 }) : words.best)));
    remark(box.dataset.ranks, ranking(all));
  }
  // Ties, and once all are ranked, ranks that nobody has and no tie explains.
  function ranking(all) {
    const ranks = all.map((q) => Number(O.valueOf(q))).filter(Boolean);
    const used = [...new Set(ranks)].sort((a, b) => a - b);
    const ties = used.filter((n) => ranks.filter((r) => r === n).length > 1).map((n) =>
      fill(words.tie, { n, who: all.filter((q) => Number(O.valueOf(q)) === n).map((q) => card(q).dataset.number).join(", ") }));
    const complete = ranks.length === all.length;
    const before = (n) => ranks.filter((r) => r < n).length;
    const places = Array.from({ length: Math.max(0, ...used) }, (_, i) => i + 1);
    const gaps = complete ? places.filter((n) => !used.includes(n) && before(n) < n).map((n) => fill(words.gap, { n })) : [];
    return [...ties, ...gaps].join(" ");
  }
  function redraw(box, lines) {
    box.hidden = false;
    const at = box.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
    box.querySelector("ul").replaceChildren(...lines);
    const [name, value] = Object.entries(at || {})[0] || [];
    if (name) box.querySelector(`[data-${name}="${CSS.escape(value)}"]`)?.focus();
  }
  O.sets = () => {
    document.querySelectorAll("[data-piles]").forEach(drawPiles);
    document.querySelectorAll("[data-ranks]").forEach(drawRanks);
    if (document.querySelector(".board")) document.querySelectorAll(".card h2").forEach((h2) => { h2.draggable = true; });
  };

  O.newPile = (q) => {
    if (!isPiled(q)) return false;
    const used = new Set(numbers(q.dataset.criterion));
    // Alone in its group already: that one is new enough.
    const mine = asks(q.dataset.criterion).filter((o) => O.valueOf(o) === O.valueOf(q));
    if (!O.valueOf(q) || mine.length > 1) {
      let n = 1;
      while (used.has(n)) n += 1;
      if (n <= most(q)) O.choose(q, n);
    }
    O.after(q);
    return true;
  };
  function merge(criterion, a, b) {
    asks(criterion).filter((q) => Number(O.valueOf(q)) === b).forEach((q) => O.choose(q, a));
    remark(criterion, fill(words.merged, { a, b }));
  }
  function remark(criterion, text) {
    const el = board(criterion)?.querySelector(".remark");
    if (el && el.textContent !== text) el.textContent = text;
  }
  function view(criterion, n) {
    seen = `${criterion}:${n}`;
    asks(criterion).forEach((q) => {
      const off = Number(O.valueOf(q)) !== n;
      card(q).hidden = off;
      if (!off) O.look(card(q));
    });
    O.sets();
    remark(criterion, fill(words.pile, { n }));
    O.go(O.questions()[0]);
  }
  O.showAll = () => {
    if (!seen) return false;
    document.querySelectorAll(".card[hidden]").forEach((c) => { c.hidden = false; });
    remark(seen.split(":")[0], "");
    seen = "";
    O.sets();
    return true;
  };
  const criterionAt = () => {
    const q = O.current();
    return isPiled(q) ? q.dataset.criterion : document.querySelector("[data-piles]")?.dataset.piles;
  };
  O.ask = (what, criterion = criterionAt()) => {
    if (!criterion) return false;
    asked = { what, criterion, piles: [] };
    remark(criterion, what === "merge" ? words.merge : words.view);
    return true;
  };
  // A digit that answers "which group?"; false where nothing was asked.
  O.pileTold = (n) => {
    if (!asked) return false;
    const { what, criterion, piles } = asked;
    if (!numbers(criterion).includes(n)) return true;
    piles.push(n);
    if (what === "view") view(criterion, n);
    else if (piles.length === 2 && piles[0] !== piles[1]) merge(criterion, ...piles);
    else if (piles.length < 2) return true;
    asked = null;
    return true;
  };
  O.stopAsking = () => {
    if (!asked) return false;
    remark(asked.criterion, "");
    asked = null;
    return true;
  };
  O.startSets = () => { seen = ""; asked = null; dragged = null; };

  // One place up or down; whoever stands there changes places.
  O.move = (q, by) => {
    if (!isRanked(q)) return false;
    const all = asks(q.dataset.criterion);
    const from = Number(O.valueOf(q));
    const used = all.map((o) => Number(O.valueOf(o))).filter(Boolean);
    const to = from ? from + by : Math.max(0, ...used) + 1;
    if (to < 1 || to > most(q)) return true;
    if (from) all.filter((o) => o !== q && Number(O.valueOf(o)) === to).forEach((o) => O.choose(o, from));
    O.choose(q, to);
    return true;
  };

  // The question of a board about the marked response, or about the first that has no answer yet.
  function questionAt(criterion) {
    const all = asks(criterion);
    const at = document.querySelector(".card.at");
    return all.find((q) => card(q) === at) || all.find((q) => !O.valueOf(q)) || all[0];
  }
  function put(criterion, q, n) {
    O.choose(q, n);
    const next = asks(criterion).find((o) => !O.valueOf(o));
    if (next) O.go(next);
    else O.after(q);
  }
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".board");
    const button = event.target.closest("button");
    if (!box || !button) return;
    const criterion = criterionOf(box);
    const { dataset } = button;
    if ("of" in dataset) O.go(asks(criterion).find((q) => card(q).dataset.response === dataset.of));
    else if ("put" in dataset) asked?.criterion === criterion ? O.pileTold(Number(dataset.put)) : put(criterion, questionAt(criterion), Number(dataset.put));
    else if ("new" in dataset) O.newPile(questionAt(criterion));
    else if ("merge" in dataset) O.ask("merge", criterion);
    else if ("all" in dataset) O.showAll();
    else if ("up" in dataset || "down" in dataset) O.move(questionAt(criterion), "up" in dataset ? -1 : 1);
    else if ("see" in dataset && !(seen === `${criterion}:${dataset.see}` && O.showAll())) {
      O.showAll();
      view(criterion, Number(dataset.see));
    }
  });

  // Dragging: a card by its number, or a response from group to group.
  const target = (event) => dragged && event.target.closest?.(".board .group, .board [data-new]");
  document.addEventListener("dragstart", (event) => {
    const id = event.target.dataset?.of || event.target.closest?.(".card h2") && card(event.target).dataset.response;
    if (!id) return;
    dragged = document.querySelector(`.card[data-response="${id}"]`);
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.number);
  });
  document.addEventListener("dragover", (event) => {
    const to = target(event);
    document.querySelectorAll(".over:not(.dock)").forEach((el) => el.classList.toggle("over", el === to));
    if (!to) return;
    to.classList.add("over");
    event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const to = target(event);
    if (!to) return;
    event.preventDefault();
    const criterion = criterionOf(to.closest(".board"));
    const q = asks(criterion).find((o) => card(o) === dragged);
    if ("new" in to.dataset) O.newPile(q);
    else put(criterion, q, Number(to.dataset.to));
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    document.querySelectorAll(".over:not(.dock)").forEach((el) => el.classList.remove("over"));
    dragged = null;
  });
})();
