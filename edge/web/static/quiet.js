// The bar at the foot of every page of the floor: held, it calls security.

import { keepCalls } from "./calls.js";
import { felt, onHold } from "./hold.js";

const bar = document.getElementById("quiet");

const call = keepCalls(bar.dataset.call, (made, state) => {
  bar.dataset.state = state;
  if (made.person === bar.dataset.person) felt();
});
onHold(bar, () => call(bar.dataset.person));
