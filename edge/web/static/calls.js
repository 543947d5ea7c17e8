// Calls for security, kept on this phone until the store has confirmed each; they go before anything else kept.

import { newId } from "./ids.js";
import { storedList } from "./stored.js";

const AGAIN_MS = 1_000;
const REFUSED_MS = 2_000; // the store's disk is full, for one: 5 s after it is not, somebody is paged
const TIMEOUT_MS = 4_000;

const { all, write } = storedList("floorbell-calls");
let underway = false;

/** Whether one is on its way at this moment: other taps wait for it. */
export const calling = () => underway;

/**
 * Send what this phone keeps, of whoever held it, to `address`. sent(call, state): the store has committed one;
 * `state` is what the bar of whoever is signed in shows now. Returns call(person), for a new one.
 */
export function keepCalls(address, sent) {
  let again = null;

  // True: over, with or without a confirmation. False: to be sent again.
  async function sendOne(call) {
    const kept_s = Math.max(0, Math.floor((Date.now() - call.at) / 1_000));
    const body = new URLSearchParams({ id: call.id, person: call.person, kept_s: String(kept_s) });
    // It goes on although the page is left.
    const how = { method: "POST", body, keepalive: true, headers: { "Floorbell-Call": "1" } };
    const answer = await fetch(address, { ...how, signal: AbortSignal.timeout(TIMEOUT_MS) });
    // Whoever held does not work here any more.
    const over = answer.status === 204 || answer.status === 404;
    if (over) write(all().filter((other) => other.id !== call.id));
    if (answer.status === 204) {
      sent(call, answer.headers.get("Floorbell-State") ?? "");
      document.dispatchEvent(new Event("floorbell:called"));
    }
    return over;
  }

  async function send() {
    if (underway) return;
    clearTimeout(again);
    underway = true;
    let waitMs = AGAIN_MS;
    try {
      for (const call of all()) {
        if (!(await sendOne(call))) {
          waitMs = REFUSED_MS;
          break;
        }
      }
    } catch {
      // No answer: it may have arrived or not, and is the same call at the next try.
    }
    underway = false;
    document.dispatchEvent(new Event("floorbell:calls"));
    if (all().length) again = setTimeout(send, waitMs);
  }

  // In the capture phase: before the other taps hear of it.
  for (const back of ["online", "pageshow"]) addEventListener(back, send, { capture: true });
  if (all().length) send();
  return function call(person) {
    write([...all(), { id: newId(), person, at: Date.now() }]);
    send();
  };
}
