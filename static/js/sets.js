// Sets: piles one can see, make, merge and look at together, and the order so far of a ranking.
(() => {
  "use strict";
  const O = window.Offbeat;
  const { words } = O;
  let seen = "";  // "<criterion>:<pile>" of the pile that is shown alone
  let asked = null; // what the next digits mean: {what, criterion, piles}

  const asks = (criterion) => [...document.querySelectorAll(`form.answer [data-criterion="${criterion}"]`)];
  const card = (q) => q.closest(".card");
  const numbers = (criterion) => [...new Set(asks(criterion).map(O.valueOf).filter(Boolean).map(Number))].sort((a, b) => a - b);
  const tool = (criterion) => document.querySelector(`[data-piles="${criterion}"]`);
  const isPiled = (q) => Boolean(q && tool(q.dataset.criterion));
  const isRanked = (q) => Boolean(q && document.querySelector(`[data-ranks="${q.dataset.criterion}"]`));
  const hue = (el, n) => el.style.setProperty("--pile", n);

  function chip(n, members, pressed) {
    const b = document.createElement("button");
    b.type = "button";
    b.className = "chip";
    b.dataset.pile = n;
    hue(b, n);
    b.setAttribute("aria-pressed", String(pressed));
    b.innerHTML = `<span class="sr"></span><b></b><span></span>`;
    b.firstChild.textContent = words.pile.replace("{n}", "");
    b.children[1].textContent = n;
    b.lastChild.textContent = members.length > 6 ? `× ${members.length}` : members.join(" ");
    return b;
  }
  function drawPiles(box) {
    const criterion = box.dataset.piles;
    box.hidden = false;
    const kept = document.activeElement?.closest(".chip") ? document.activeElement.dataset.pile : "";
    box.querySelector(".chips").replaceChildren(...numbers(criterion).map((n) =>
      chip(n, asks(criterion).filter((q) => Number(O.valueOf(q)) === n).map((q) => card(q).dataset.number), seen === `${criterion}:${n}`)));
    if (kept) box.querySelector(`.chip[data-pile="${kept}"]`)?.focus();
    asks(criterion).forEach((q) => {
      const n = O.valueOf(q);
      card(q).classList.toggle("piled", Boolean(n));
      hue(card(q), n || 0);
      const h2 = card(q).querySelector("h2");
      if (n) h2.dataset.pile = words.pile.replace("{n}", n);
      else delete h2.dataset.pile;
    });
    box.querySelector("[data-all]").hidden = !seen.startsWith(`${criterion}:`);
  }
  function drawRanks(box) {
    const criterion = box.dataset.ranks;
    box.hidden = false;
    const parts = numbers(criterion).map((n) => {
      const who = asks(criterion).filter((q) => Number(O.valueOf(q)) === n).map((q) => card(q).dataset.number);
      const span = document.createElement("span");
      span.className = "rank";
      span.innerHTML = "<b></b> ";
      span.firstChild.textContent = `${n}.`;
      span.append(who.join(" = "));
      return span;
    });
    box.querySelector(".chips").replaceChildren(...parts);
  }
  O.sets = () => {
    document.querySelectorAll("[data-piles]").forEach(drawPiles);
    document.querySelectorAll("[data-ranks]").forEach(drawRanks);
  };

  const most = (q) => Number(q.querySelector("input[type=number]")?.max || q.querySelectorAll("input").length);
  O.newPile = (q) => {
    if (!isPiled(q)) return false;
    const used = new Set(numbers(q.dataset.criterion));
    // Alone on its pile already: that one is new enough.
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
    prompting(criterion, words.merged.replace("{a}", a).replace("{b}", b));
  }
  function prompting(criterion, text) {
    const el = tool(criterion)?.querySelector(".prompting");
    if (el) el.textContent = text;
  }
  function view(criterion, n) {
    seen = `${criterion}:${n}`;
    asks(criterion).forEach((q) => {
      const off = Number(O.valueOf(q)) !== n;
      card(q).hidden = off;
      if (!off) O.look(card(q));
    });
    O.sets();
    prompting(criterion, words.pile.replace("{n}", n));
    O.go(O.questions()[0]);
  }
  O.showAll = () => {
    if (!seen) return false;
    document.querySelectorAll(".card[hidden]").forEach((c) => { c.hidden = false; });
    prompting(seen.split(":")[0], "");
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
    prompting(criterion, what === "merge" ? words.merge : words.view);
    return true;
  };
  // A digit that answers "which pile?"; false where nothing was asked.
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
    prompting(asked.criterion, "");
    asked = null;
    return true;
  };
  O.startSets = () => { seen = ""; asked = null; };

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

  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-piles], [data-ranks]");
    const button = event.target.closest("button");
    if (!box || !button) return;
    if (box.dataset.ranks) {
      const q = O.current()?.dataset.criterion === box.dataset.ranks ? O.current() : asks(box.dataset.ranks)[0];
      O.move(q, "up" in button.dataset ? -1 : 1);
      return;
    }
    const criterion = box.dataset.piles;
    if ("new" in button.dataset) O.newPile(O.current()?.dataset.criterion === criterion ? O.current() : asks(criterion)[0]);
    else if ("merge" in button.dataset) O.ask("merge", criterion);
    else if ("all" in button.dataset) O.showAll();
    else if (button.classList.contains("chip")) {
      const n = Number(button.dataset.pile);
      if (asked?.criterion === criterion) O.pileTold(n);
      else if (seen === `${criterion}:${n}`) O.showAll();
      else {
        O.showAll();
        view(criterion, n);
      }
    }
  });
})();
