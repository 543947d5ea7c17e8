// Draws a part of the page anew from the server, one request at a time, until the newest state is really there.

import { lifted } from "./thumb.js";

const AGAIN_MS = 2_000;

/**
 * A function that redraws `element` from `address`. Calls that come meanwhile are one more redraw afterwards;
 * one that fails is tried again by itself. Returns a promise that is rejected if this try failed.
 * everyMs: at most that often.
 */
export function redrawer(element, address, { everyMs = 0 } = {}) {
  let running = null;
  let again = false;
  let retry = null;
  let lastAt = -everyMs;

  async function draw() {
    const wait = lastAt + everyMs - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    lastAt = performance.now();
    again = false;
    const answer = await new Promise((resolve, reject) => {
      const handler = (_, { xhr }) => resolve(xhr);
      window.htmx.ajax("GET", address, { target: element, handler }).catch(reject);
    });
    const door = answer.getResponseHeader("HX-Redirect");
    if (door) return location.assign(door);
    // A refusal is an answer too, but nothing is drawn.
    if (answer.status !== 200) throw new Error("not drawn");
    // Only now, with the answer here: however long it took, nothing changes under a thumb.
    await lifted();
    window.htmx.trigger(element, "htmx:beforeSwap", { target: element });
    element.innerHTML = answer.responseText;
    window.htmx.process(element);
    window.htmx.trigger(element, "htmx:afterSwap", { target: element });
  }

  return function redraw() {
    if (running) {
      again = true;
      return running;
    }
    clearTimeout(retry);
    running = draw();
    const tried = running;
    tried.then(
      () => {
        running = null;
        if (again) redraw().catch(() => {});
      },
      () => {
        running = null;
        retry = setTimeout(() => redraw().catch(() => {}), AGAIN_MS);
      },
    );
    return tried;
  };
}
