// Draws each figure with Vega in place of its picture: [data-chart] names the <script type="application/json">.
// No eval: expressions go through Vega's interpreter. Without this script the picture and the table stay.
"use strict";
(() => {
  const LEAST = 240, NARROW = 560, LETTER = 6.5;

  // Rows come without the names of their columns.
  const unpacked = ({ fields, rows }) => rows.map((row) => Object.fromEntries(fields.map((f, n) => [f, row[n]])));

  const lines = (title, letters) => title.split(" ").reduce((found, word) => {
    const last = found.at(-1);
    if (last && `${last} ${word}`.length <= letters) return [...found.slice(0, -1), `${last} ${word}`];
    return [...found, word];
  }, []);

  // For a phone: legends below, names of categories cut, titles of axes on several lines.
  const narrowed = (part, room) => {
    if (!part || typeof part !== "object") return;
    if (part.legend && typeof part.legend === "object") Object.assign(part.legend, { orient: "bottom", columns: 1 });
    for (const axis of ["x", "y"]) {
      const title = part[axis]?.title;
      if (typeof title === "string") part[axis].title = lines(title, room / LETTER * (axis === "x" ? 0.62 : 0.8));
    }
    if (part.config?.axis) part.config.axis.labelLimit = Math.round(room * 0.42);
    for (const [name, inner] of Object.entries(part)) if (name !== "datasets") narrowed(inner, room);
  };

  const specOf = (figure) => {
    const spec = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    for (const name in spec.datasets) spec.datasets[name] = unpacked(spec.datasets[name]);
    const room = figure.querySelector(".drawn").clientWidth;
    // A chart as wide as its place; one narrower than that (a heat map) stays as it is where there is room.
    if (typeof spec.width === "number" && (figure.dataset.fit === "always" || spec.width > room - 80)) {
      spec.width = Math.max(LEAST, room);
      spec.autosize = { type: "fit-x", contains: "padding" };
      if (room < NARROW) narrowed(spec, room);
    }
    return spec;
  };

  const draw = async (figure) => {
    const place = figure.querySelector(".drawn"), live = document.createElement("div");
    live.className = "live";
    place.append(live);
    try {
      const result = await vegaEmbed(live, specOf(figure), {
        mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false,
        expr: vegaInterpreter.expressionInterpreter, tooltip: { disableDefaultStyle: true },
      });
      place.querySelector(":scope > svg")?.remove();
      const svg = live.querySelector("svg");
      svg?.setAttribute("role", "img");
      svg?.setAttribute("aria-label", figure.dataset.description);
      figure.dispatchEvent(new CustomEvent("chart:drawn", { bubbles: true, detail: { view: result.view } }));
    } catch (error) {
      live.remove();
      console.warn(`${figure.id} stays a picture: ${error}`);
    }
  };

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "300px" });

  for (const figure of document.querySelectorAll("[data-chart]")) seen.observe(figure);
})();
