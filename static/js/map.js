// The map of a prompt: what the pointer is at can be read beside it; a click pins, a second one compares.
"use strict";
document.addEventListener("chart:drawn", (event) => {
  if (event.target.id !== "figure-map") return;
  const who = document.getElementById("under-who"), text = document.getElementById("under-text");
  const pinned = document.getElementById("pinned");
  let pins = [], at = null;

  // The beginnings of the texts come once the map is there; whoever is quicker waits for them here.
  const texts = fetch("?part=texts").then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
  texts.catch(() => {});

  const show = async (datum) => {
    at = datum.pk;
    const rating = datum.quality === null ? "not rated" : `human mean ${datum.quality.toFixed(2)}, n = ${datum.ratings}`;
    who.textContent = `${datum.source} · ${rating}`;
    const begins = await texts.then((found) => found[datum.pk] || "(an empty response)", () => "(it could not be fetched)");
    if (at === datum.pk) text.textContent = begins;
  };
  const pin = async (pk) => {
    pins = pins.includes(pk) ? pins.filter((p) => p !== pk) : [...pins, pk].slice(-2);
    const query = new URLSearchParams({ part: "pinned" });
    pins.forEach((p, n) => query.set("ab"[n], p));
    const answer = await fetch(`?${query}`);
    pinned.innerHTML = answer.ok ? await answer.text() : `<p class="notice">It could not be fetched (${answer.status}).</p>`;
  };
  const view = event.detail.view;
  const datumOf = (item) => item && item.datum && item.datum.pk ? item.datum : null;
  view.addEventListener("mouseover", (_, item) => { const datum = datumOf(item); if (datum) show(datum); });
  view.addEventListener("click", (_, item) => { const datum = datumOf(item); if (datum) { show(datum); pin(datum.pk); } });
});
