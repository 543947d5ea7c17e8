// One thumb that stays down on a bar, by feel. A shorter touch, a scroll or several fingers are nothing.

export const HOLD_MS = 1_500;
// How far a thumb that shakes may go along the bar, and beyond its edge.
const STRAYS_PX = 48;
const BESIDE_PX = 16;

/** Call `act` once `bar` was held for HOLD_MS. Nothing on the bar changes meanwhile. */
export function onHold(bar, act) {
  const down = new Set();
  let timer = null;
  let from = 0;

  function stop() {
    clearTimeout(timer);
    timer = null;
  }

  function begin(x) {
    stop();
    from = x;
    timer = setTimeout(() => {
      timer = null;
      act();
    }, HOLD_MS);
  }

  // A second finger, or the cloth of a pocket, anywhere on the page.
  addEventListener(
    "pointerdown",
    (event) => {
      // The first of its kind: whatever was down before is up, also where its end was never told.
      if (event.isPrimary) down.clear();
      down.add(event.pointerId);
      if (down.size > 1) stop();
    },
    { capture: true },
  );
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, (event) => (down.delete(event.pointerId), stop()), { capture: true });
  }
  bar.addEventListener("pointerdown", (event) => event.button === 0 && down.size === 1 && begin(event.clientX));
  bar.addEventListener("pointermove", (event) => {
    const { top, bottom } = bar.getBoundingClientRect();
    const beside = event.clientY < top - BESIDE_PX || event.clientY > bottom + BESIDE_PX;
    if (beside || Math.abs(event.clientX - from) > STRAYS_PX) stop();
  });
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) begin(from);
  });
  for (const end of ["keyup", "blur"]) bar.addEventListener(end, stop);
  document.addEventListener("visibilitychange", stop);
  // No menu and no sign of a long press; and no other part of the page takes this for a touch.
  for (const sign of ["contextmenu", "click", "dragstart"]) {
    bar.addEventListener(sign, (event) => (event.preventDefault(), event.stopPropagation()));
  }
}

/** The confirmation that a hand feels and nobody hears, where the browser has one; whether it has. */
export const felt = () => Boolean(navigator.vibrate?.(60));
