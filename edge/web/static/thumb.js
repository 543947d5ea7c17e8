// While a thumb or a mouse button is down, and until its click has done what it does, the page stands still: what
// moves under it would take the wrong click, and what is drawn anew between press and click takes none.

const CLICK_MS = 350; // the longest from a thumb that lifts to its click
const HELD_MS = 1_500; // what stays down longer is no tap
let up = Promise.resolve();

addEventListener("pointerdown", () => {
  up = new Promise((resolve) => {
    const soon = () => setTimeout(resolve, CLICK_MS);
    addEventListener("click", () => setTimeout(resolve), { once: true, capture: true });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, soon, { once: true });
    setTimeout(resolve, HELD_MS + CLICK_MS);
  });
});

/** A promise to wait for before the page may change. */
export const lifted = () => up;
