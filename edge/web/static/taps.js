// What a person has tapped is kept on this phone until the store has answered it. Nothing here knows the page.

import { calling } from "./calls.js";
import { newId } from "./ids.js";
import { storedList } from "./stored.js";

const TIMEOUT_MS = 10_000;
const AGAIN_MS = 5_000;
// So long a tap means what its person meant by it; afterwards they are asked whether it still holds.
const HOLDS_MS = { acknowledge: 60_000, decline: 120_000, hand_over: 60_000, take_back: 60_000, supervisor: 60_000, supervisor_to: 60_000, ask_safe: 60_000 };
const OTHERS_HOLD_MS = 300_000;
const FORGET_MS = 12 * 3_600_000;
const PREFIX = "floorbell-taps-";

/**
 * The taps of one person on this phone. A tap: {id, verb, request, address, fields, words, at, heldAt, left};
 * `left`: a try went out and was not answered, so that nobody here knows whether it arrived.
 * token: for the forms. changed(): something is to be shown anew. answered(tap, status, text): the store's word,
 * 2xx, 409 or another refusal; the tap is over then.
 */
export function keepTaps(person, { token, changed, answered }) {
  const place = PREFIX + person;
  const { all, write: keep } = storedList(place);
  const underway = new Map(); // id -> when this try began

  function write(taps) {
    keep(taps);
    changed();
  }

  const change = (id, values) => write(all().map((tap) => (tap.id === id ? { ...tap, ...values } : tap)));
  const drop = (id) => write(all().filter((tap) => tap.id !== id));

  function holds(tap) {
    const age = Date.now() - (tap.heldAt ?? tap.at);
    // A clock that was set back proves nothing.
    return age > -5_000 && age <= (HOLDS_MS[tap.verb] ?? OTHERS_HOLD_MS);
  }

  async function send(tap) {
    underway.set(tap.id, performance.now());
    const kept_s = Math.max(0, Math.floor((Date.now() - tap.at) / 1_000));
    const body = new URLSearchParams([...tap.fields, ["person", person], ["tap", tap.id], ["kept_s", String(kept_s)]]);
    const headers = { "X-CSRFToken": token, "HX-Request": "true" };
    let answer = null;
    let text = "";
    try {
      answer = await fetch(tap.address, { method: "POST", body, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      text = await answer.text();
    } catch {
      answer = null;
    }
    underway.delete(tap.id);
    if (answer === null) {
      // Only a phone without any network knows that nothing went out.
      change(tap.id, navigator.onLine ? { left: true } : {});
      return;
    }
    const door = answer.headers.get("HX-Redirect");
    // Whoever signs in again as the same person finds it here.
    if (door) location.assign(door);
    else if (answer.status >= 500 || answer.status === 429) change(tap.id, { left: true });
    else {
      drop(tap.id);
      answered(tap, answer.status, text);
      retry();
    }
  }

  /** Send what still holds: one at a time of each request, in the order of the taps. */
  function retry() {
    // Whoever calls security goes first.
    if (calling()) return changed();
    const before = new Set();
    for (const tap of all()) {
      const about = tap.request || tap.verb;
      if (!before.has(about) && !underway.has(tap.id) && holds(tap)) send(tap);
      before.add(about);
    }
    changed();
  }

  forgetOld();
  addEventListener("online", retry);
  document.addEventListener("floorbell:calls", () => all().length && retry());
  addEventListener("storage", (event) => event.key === place && changed());
  setInterval(() => all().length && retry(), AGAIN_MS);

  return {
    all,
    retry,
    drop,
    /** `tap` without id and times. The same verb on the same request is one tap. */
    add(tap) {
      if (all().some((other) => other.verb === tap.verb && other.request === tap.request)) return;
      write([...all(), { ...tap, id: newId(), at: Date.now() }]);
      retry();
    },
    /** Its person says that it still holds. */
    hold(id) {
      change(id, { heldAt: Date.now() });
      retry();
    },
    /** 'sending' for a moment, then 'unsent' or 'unheard'; 'old' where its person is to be asked. */
    state(tap) {
      const begun = underway.get(tap.id);
      if (!holds(tap) && begun === undefined) return "old";
      if (begun !== undefined && !tap.left && performance.now() - begun < 2_000) return "sending";
      return tap.left || begun !== undefined ? "unheard" : "unsent";
    },
  };
}

// Of whoever was signed in on this phone before; nobody is asked about the day before.
function forgetOld() {
  try {
    for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
      const taps = JSON.parse(localStorage.getItem(key)).filter((tap) => Date.now() - tap.at < FORGET_MS);
      if (taps.length) localStorage.setItem(key, JSON.stringify(taps));
      else localStorage.removeItem(key);
    }
  } catch {
    // Nothing is kept here.
  }
}
