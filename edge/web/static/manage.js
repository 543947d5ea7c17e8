// The desk made live: new rows at the top appear in place, elsewhere a quiet count says that there are some.

import "./ages.js";
import { storeNow, tick } from "./ages.js";
import { redrawer } from "./redraw.js";
import { listen } from "./stream.js";

const facts = document.body.dataset;
const rows = document.getElementById("rows");
const story = document.getElementById("story");
const floor = document.getElementById("floor");
const strip = document.getElementById("strip");
const bundle = document.getElementById("bundle");
const outside = document.getElementById("outside");
const fresh = document.getElementById("fresh");
const link = document.getElementById("link");
// However much happens, twice a second is enough for eyes.
const OFTEN = { everyMs: 500 };
const WORDS = { unknown: "Connecting…", connected: "Live", stopped: "Kiosks are not heard", lost: "Not live" };

const here = location.pathname + location.search;
const redrawRows = rows && redrawer(rows, here, OFTEN);
const redrawStory = story && redrawer(story, here, OFTEN);
const redrawStrip = strip && redrawer(strip, facts.strip, OFTEN);
// Who waits is worth a redraw at once; one more follows while more happens.
const redrawFloor = floor && redrawer(floor, here, { everyMs: 200 });
const redrawBundle = bundle && redrawer(bundle, here, OFTEN);
const redrawOutside = outside && redrawer(outside, here, OFTEN);
const missed = new Set();

const atTop = () => rows.dataset.atTop === "yes" && scrollY < 120;

function news(body) {
  redrawFloor?.().catch(() => {});
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

// Whose clip it is, the page that is drawn anew knows.
function clipNews() {
  if (story) redrawStory().catch(() => {});
  if (awaited()) redrawBundle().catch(() => {});
}

// Whether the page shows an export that is still being made. A finished one stays as it is: somebody may be
// about to press its button.
const awaited = () => bundle?.querySelector('[data-state="asked"]');

function deviceNews() {
  redrawStrip?.().catch(() => {});
  redrawFloor?.().catch(() => {});
}

const outsideNews = () => redrawOutside?.().catch(() => {});

addEventListener("scroll", () => {
  if (rows && missed.size && atTop()) {
    missed.clear();
    fresh.hidden = true;
    redrawRows().catch(() => {});
  }
});

document.body.addEventListener("htmx:afterSwap", tick);

// When it is printed, by the store's clock and in the store's zone, and not when it was loaded.
const printed = document.getElementById("printed");
addEventListener("beforeprint", () => {
  const there = new Date(storeNow() + Number(printed.dataset.eastMin) * 60_000);
  printed.textContent = there.toISOString().slice(0, 16).replace("T", " ");
});

const everything = () => Promise.all([redrawRows?.(), redrawStory?.(), redrawStrip?.(), redrawFloor?.(), redrawOutside?.()]);

const heard = listen(facts.stream, facts.cursor, {
  on: { request: news, page: news, person: () => redrawFloor?.().catch(() => {}), device: deviceNews, trouble: deviceNews, clip: clipNews, outside: outsideNews },
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
// The news of it may have gone by before this page was there.
if (awaited()) setInterval(() => awaited() && redrawBundle().catch(() => {}), 2_000);
// Heartbeats grow old without any news.
if (redrawStrip) setInterval(() => document.visibilityState === "visible" && redrawStrip().catch(() => {}), 10_000);
// Who has seen a page, who is on a break, whose phone answers: none of it is news to everyone.
if (redrawFloor) setInterval(() => document.visibilityState === "visible" && redrawFloor().catch(() => {}), 3_000);
// Whether the messenger is still there is no news either.
if (redrawOutside) setInterval(() => document.visibilityState === "visible" && outsideNews(), 10_000);
