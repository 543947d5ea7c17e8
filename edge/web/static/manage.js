// The desk made live: new rows at the top appear in place, elsewhere a quiet count says that there are some.

import "./ages.js";
import { tick } from "./ages.js";
import { listen } from "./stream.js";

const facts = document.body.dataset;
const rows = document.getElementById("rows");
const story = document.getElementById("story");
const strip = document.getElementById("strip");
const fresh = document.getElementById("fresh");
const link = document.getElementById("link");
const AT_MOST_EVERY_MS = 500;
const WORDS = { unknown: "Connecting…", connected: "Live", lost: "Not live" };

/** Redraw `target` from `address`, at most twice a second however much happens, and never miss the last. */
function redrawer(target, address) {
  let waiting = null;
  let lastAt = -AT_MOST_EVERY_MS;
  const draw = () => {
    waiting = null;
    lastAt = performance.now();
    return window.htmx.ajax("GET", address, { target, swap: "innerHTML" });
  };
  return () => {
    if (waiting === null) {
      const wait = Math.max(0, lastAt + AT_MOST_EVERY_MS - performance.now());
      waiting = new Promise((done, failed) => setTimeout(() => draw().then(done, failed), wait));
    }
    return waiting;
  };
}

const here = location.pathname + location.search;
const redrawRows = rows && redrawer("#rows", here);
const redrawStory = story && redrawer("#story", here);
const redrawStrip = strip && redrawer("#strip", facts.strip);
const missed = new Set();

const atTop = () => rows.dataset.atTop === "yes" && scrollY < 120;

function news(body) {
  if (story && body.request === story.dataset.interaction) redrawStory().catch(() => {});
  if (!rows) return;
  if (atTop() || rows.querySelector(`[data-id="${CSS.escape(body.request)}"]`)) {
    redrawRows().catch(() => {});
    if (atTop()) return;
  }
  if (!rows.querySelector(`[data-id="${CSS.escape(body.request)}"]`)) missed.add(body.request);
  fresh.textContent = `${missed.size} new`;
  fresh.hidden = missed.size === 0;
}

addEventListener("scroll", () => {
  if (rows && missed.size && atTop()) {
    missed.clear();
    fresh.hidden = true;
    redrawRows().catch(() => {});
  }
});

document.body.addEventListener("htmx:afterSwap", tick);

const everything = () => Promise.all([redrawRows?.(), redrawStory?.(), redrawStrip?.()]);

const heard = listen(facts.stream, facts.cursor, {
  on: { request: news, device: () => redrawStrip?.().catch(() => {}) },
  poll: everything,
  catchUp: () => everything().catch(() => {}),
  link: (state) => {
    if (link.dataset.link === state) return;
    link.dataset.link = state;
    link.querySelector(".link-words").textContent = WORDS[state];
  },
});

document.body.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr?.status;
  if (status && status < 500) heard();
});
// Heartbeats grow old without any news.
if (redrawStrip) setInterval(() => document.visibilityState === "visible" && redrawStrip().catch(() => {}), 10_000);
