// Draws a part of the page anew from the server, one request at a time, until the newest state is really there.

const AGAIN_MS = 2_000;

/**
 * A function that redraws `element` from `address`. Calls that come meanwhile are one more redraw afterwards;
 * one that fails is tried again by itself. Returns a promise that is rejected if this try failed.
 * everyMs: at most that often. ready: a promise to wait for before the page may change.
 */
export function redrawer(element, address, { everyMs = 0, ready = () => Promise.resolve() } = {}) {
  let running = null;
  let again = false;
  let retry = null;
  let swapped = false;
  let lastAt = -everyMs;

  element.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === element) swapped = true;
  });

  async function draw() {
    const wait = lastAt + everyMs - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await ready();
    lastAt = performance.now();
    swapped = again = false;
    await window.htmx.ajax("GET", address, { target: element, swap: "innerHTML" });
    // A refusal is an answer too, but nothing was drawn.
    if (!swapped) throw new Error("not drawn");
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
