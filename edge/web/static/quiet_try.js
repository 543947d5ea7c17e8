// The bar on the page that explains it: held, it confirms and calls nobody.

import { felt, onHold } from "./hold.js";

const bar = document.getElementById("quiet-try");
for (const words of document.querySelectorAll("[data-vibrates]")) words.hidden = !navigator.vibrate;
onHold(bar, () => {
  felt();
  bar.dataset.state = "sent";
  setTimeout(() => delete bar.dataset.state, 3_000);
});
