// Forms become taps that are kept until they are answered; what is kept is shown where it was tapped.

import { span } from "./ages.js";
import { keepTaps } from "./taps.js";

const FORMS = "form[data-verb]:not([hx-post])";

/**
 * Take the taps of `person` from here on. template: a note with its words in data-unsent, -unheard and -old;
 * elsewhere: where notes go whose request is not on the page. tapped(): a new one; answered(tap, status, text).
 */
export function takeTaps(person, { token, template, elsewhere, tapped, answered }) {
  const taps = keepTaps(person, { token, changed: show, answered });

  addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches(FORMS)) return;
    event.preventDefault();
    const fields = [...new FormData(form, event.submitter)].filter(([name]) => name !== "csrf_token");
    tapped();
    taps.add({ verb: form.dataset.verb, request: requestOf(form), address: form.action, fields, words: wordsOf(form, event.submitter) });
  });

  function show() {
    const kept = taps.all();
    for (const form of document.querySelectorAll(FORMS)) {
      const waits = kept.some((tap) => tap.verb === form.dataset.verb && tap.request === requestOf(form));
      for (const button of form.querySelectorAll("button")) button.disabled = waits;
    }
    for (const note of document.querySelectorAll("[data-tap]")) {
      if (!kept.some((tap) => tap.id === note.dataset.tap)) note.remove();
    }
    for (const tap of kept) showOne(tap, taps.state(tap));
  }

  function showOne(tap, state) {
    let note = document.querySelector(`[data-tap="${tap.id}"]`);
    if (state === "sending") {
      note?.remove();
      return;
    }
    const beside = formOf(tap);
    if (!note || (beside && elsewhere.contains(note))) {
      note?.remove();
      note = template.content.firstElementChild.cloneNode(true);
      note.dataset.tap = tap.id;
      note.querySelector("[data-hold]").addEventListener("click", () => taps.hold(tap.id));
      note.querySelector("[data-drop]").addEventListener("click", () => taps.drop(tap.id));
      if (beside) (beside.closest("details") ?? beside).after(note);
      else elsewhere.append(note);
    }
    note.dataset.state = state;
    const age = span(Math.max(0, Math.floor((Date.now() - tap.at) / 1_000)));
    const values = { act: tap.words, age };
    const words = template.dataset[state].replace(/\{(act|age)\}/g, (_, name) => values[name]);
    const said = note.querySelector("p");
    if (said.textContent !== words) said.textContent = words;
    note.querySelector("[data-hold]").hidden = state !== "old";
    // What may have arrived cannot be taken back here.
    note.querySelector("[data-drop]").hidden = state === "unheard";
  }

  setInterval(() => taps.all().length && show(), 1_000);
  taps.retry();
  return { show, retry: taps.retry };
}

const requestOf = (form) => form.closest("[data-request]")?.dataset.request ?? "";

function formOf(tap) {
  const forms = document.querySelectorAll(`form[data-verb="${CSS.escape(tap.verb)}"]`);
  return [...forms].find((form) => requestOf(form) === tap.request);
}

// 'Done: Helped', where the button alone would not say what it is about.
function wordsOf(form, button) {
  const said = (button?.querySelector("b") ?? button)?.textContent.trim() ?? "";
  const about = form.closest("details")?.querySelector("summary").textContent.trim();
  return about ? `${about}: ${said}` : said;
}
