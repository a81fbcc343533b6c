"use strict";
// What scrolls can be scrolled by keyboard: a stop of the Tab key, and only while there is something to scroll to.
(() => {
  const mark = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls) box.tabIndex = 0; else box.removeAttribute("tabindex");
  };
  const boxes = () => document.querySelectorAll(".scroll, .drawn");
  const all = () => boxes().forEach(mark);
  const watch = new ResizeObserver(all);
  const begin = () => { boxes().forEach((box) => { watch.observe(box); if (box.firstElementChild) watch.observe(box.firstElementChild); }); all(); };
  document.addEventListener("toggle", all, true);
  document.addEventListener("chart:drawn", all);
  document.addEventListener("htmx:after:swap", begin);
  begin();
})();
