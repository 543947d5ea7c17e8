// The associate's page made live: the list, the sounds, and what the phone reports back.

// First of all: what it keeps goes out before other taps.
import "./quiet.js";

import "./ages.js";
import { storeNow, tick } from "./ages.js";
import { keep, stamp } from "./keep.js";
import { takeTaps } from "./kept.js";
import { clearShown, keepOn } from "./push.js";
import { redrawer } from "./redraw.js";
import * as sound from "./sound.js";
import { listen } from "./stream.js";
import { lifted } from "./thumb.js";

const facts = document.body.dataset;
const board = document.getElementById("board");
const trouble = document.getElementById("trouble");
const link = document.getElementById("link");
const soundOff = document.getElementById("sound");

// ---- the list -------------------------------------------------------------------------------------------

let putBack = () => {};

const redraw = redrawer(board, facts.board);

document.body.addEventListener("htmx:beforeSwap", () => (putBack = keep(board)));
document.body.addEventListener("htmx:afterSwap", () => {
  putBack();
  drawn();
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr?.status ?? 0;
  if (status && status < 500) heard(event.detail.xhr.getResponseHeader("Floorbell-Nonce"));
  if (said(event) && status >= 200 && status < 300) tell("");
});

// ---- taps -----------------------------------------------------------------------------------------------

const kept = takeTaps(facts.me, {
  token: facts.token,
  template: document.getElementById("kept-words"),
  elsewhere: document.getElementById("kept"),
  tapped: () => tell(""),
  answered: (tap, status, text) => {
    heard();
    if (status !== 409 && status >= 400) tell(text.slice(0, 300));
    else lifted().then(() => drawTap(status, text));
  },
});

function drawTap(status, text) {
  const before = keep(board);
  board.innerHTML = text;
  before();
  drawn();
  // Its card has moved down among the others'; the thumb and the eye are still here.
  if (status === 409) tell(board.querySelector("[data-notice]")?.textContent ?? "", "told");
}

// Whether somebody is free is not kept: it is said in place that it did not arrive.
const UNSENT = trouble.dataset.unsent;
const said = (event) => event.detail.requestConfig?.verb === "post";
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, (event) => said(event) && tell(UNSENT));
}
document.body.addEventListener("htmx:responseError", (event) => {
  if (said(event)) tell(event.detail.xhr.responseText.slice(0, 300) || UNSENT);
});

let told = null;
function tell(sentence, kind = "trouble") {
  clearTimeout(told);
  trouble.textContent = sentence;
  trouble.dataset.kind = kind;
  trouble.hidden = !sentence;
  if (kind === "told") told = setTimeout(fade, 8_000);
}

// A phone in a pocket has told nobody yet.
function fade() {
  if (document.visibilityState === "visible") tell("");
  else document.addEventListener("visibilitychange", () => (told = setTimeout(fade, 8_000)), { once: true });
}

const quiet = document.getElementById("quiet");
document.addEventListener("floorbell:called", () => redraw().catch(() => {}));

function drawn() {
  tick();
  quiet.dataset.state = board.querySelector("[data-quiet]")?.dataset.quiet ?? "";
  stamp(board);
  kept.show();
  const waiting = board.querySelectorAll("[data-waiting]");
  document.title = waiting.length ? `(${waiting.length}) Floorbell` : "Floorbell";
  const fresh = [...waiting].filter((card) => !called.has(card.dataset.page));
  for (const card of fresh) {
    called.add(card.dataset.page);
    card.classList.add("card-new");
  }
  const kinds = fresh.map((card) => card.dataset.kind);
  if (fresh.length) sound.call(["security", "help", "watch", "drawer", "greet"].find((kind) => kinds.includes(kind)));
  report();
  answered();
}

// ---- calls while the phone is locked -------------------------------------------------------------------

const locked = { me: facts.me, token: facts.token, about: facts.locked, on: facts.lockedOn };
keepOn(locked).catch(() => {}); // its own page says what is wrong

// What nobody waits for any more need not stay among the phone's notifications.
function answered() {
  if (document.visibilityState === "visible" && !board.querySelector("[data-waiting]")) clearShown().catch(() => {});
}

const bring = (request) => request && board.querySelector(`[data-request="${CSS.escape(request)}"]`)?.scrollIntoView({ block: "center" });
navigator.serviceWorker?.addEventListener("message", (event) => redraw().then(() => bring(event.data.request), () => {}));
bring(location.hash.slice(1));

// ---- who is here -----------------------------------------------------------------------------------------

const colleagues = document.getElementById("colleagues");
const redrawColleagues = redrawer(colleagues.querySelector("[data-colleagues]"), colleagues.dataset.part, { everyMs: 1_000 });
const mates = () => colleagues.open && redrawColleagues().catch(() => {});
colleagues.addEventListener("toggle", mates);

// ---- am I free ------------------------------------------------------------------------------------------

const presence = document.getElementById("presence");
const redrawPresence = redrawer(presence, presence.dataset.part);
const showPresence = () => redrawPresence().catch(() => {});
let breakEnds = null;

// A break ends by itself; a second later the server says so too.
function awaitEnd() {
  clearTimeout(breakEnds);
  const until = presence.querySelector("[data-until]")?.dataset.until;
  if (until) breakEnds = setTimeout(showPresence, Math.max(1_000, Number(until) - storeNow() + 1_000));
}
presence.addEventListener("htmx:afterSwap", awaitEnd);
awaitEnd();
// The panel lies over the list, which must not stay hidden behind it.
addEventListener("click", (event) => {
  const panel = document.getElementById("away");
  if (panel.open && !panel.contains(event.target)) panel.open = false;
});

// ---- what the phone reports -----------------------------------------------------------------------------

const called = new Set(); // pages that have rung here
const reported = { delivered: new Set(), seen: new Set() };

async function post(what, pages) {
  const fresh = pages.filter((page) => page && !reported[what].has(page));
  if (!fresh.length) return;
  for (const page of fresh) reported[what].add(page);
  const body = new URLSearchParams(fresh.map((page) => ["pages", page]));
  try {
    const answer = await fetch(facts[what], { method: "POST", body, headers: { "X-CSRFToken": facts.token } });
    if (!answer.ok) throw new Error(String(answer.status));
    heard();
  } catch {
    // Said again at the next redraw.
    for (const page of fresh) reported[what].delete(page);
  }
}

const shownPages = () => [...board.querySelectorAll("[data-page]")].map((card) => card.dataset.page);

function report() {
  if (document.visibilityState === "visible") post("seen", shownPages());
  else post("delivered", shownPages());
}

document.addEventListener("visibilitychange", () => (report(), answered()));

// ---- sound ----------------------------------------------------------------------------------------------

const showSound = () => (soundOff.hidden = sound.ready());
for (const touch of ["click", "keydown"]) {
  addEventListener(touch, () => sound.unlock(showSound).then(showSound), { passive: true });
}
// Some browsers count the taps of the PIN, a page ago; where they do not, the bar says so.
if (navigator.userActivation?.hasBeenActive) sound.unlock(showSound).then(showSound);

// ---- the connection -------------------------------------------------------------------------------------

function showLink(state, since) {
  if (link.dataset.link === state) return;
  if (state === "connected") kept.retry();
  link.dataset.link = state;
  const time = since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  link.querySelector(".link-words").textContent = link.dataset[state].replace("{time}", time);
}

// The server says so only of an answer that came in time from this phone.
async function answer(nonce) {
  const body = new URLSearchParams({ nonce });
  const headers = { "X-CSRFToken": facts.token };
  const said = await fetch(facts.heard, { method: "POST", body, headers, signal: AbortSignal.timeout(10_000) });
  if (!said.ok) throw new Error(String(said.status));
}

const heard = listen(facts.stream, facts.cursor, {
  on: {
    page: (page) => {
      post("delivered", [page.page]);
      redraw().catch(() => sound.call(page.kind));
    },
    presence: showPresence,
    // Whoever is called for somebody hears only that.
    trouble: ({ over }) =>
      redraw().catch(() => {}).then(() => over || board.querySelector("[data-waiting]") || sound.call("trouble")),
    page_over: () => redraw().catch(() => {}),
    request: (news) => {
      mates();
      // Of one's own call for security nothing stands on the page yet.
      if (news.kind === "security" || board.querySelector(`[data-request="${CSS.escape(news.request)}"]`)) redraw().catch(() => {});
    },
  },
  poll: redraw,
  catchUp: () => redraw().catch(() => {}),
  link: showLink,
  answer,
});

showSound();
drawn();
