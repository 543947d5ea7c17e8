// The PIN pad: for one thumb, with the keyboard as the other way in.

const form = document.querySelector("[data-pin]");
const input = form.querySelector("#pin");
const dots = form.querySelector(".pin-dots");
const pad = form.querySelector(".pad");

document.body.classList.add("with-pad");
pad.hidden = false;
// The phone's own keyboard would cover the pad.
input.inputMode = "none";

function show() {
  dots.replaceChildren(...[...input.value].map(() => document.createElement("i")));
}

pad.addEventListener("click", (event) => {
  const key = event.target.closest("button");
  if (!key) return;
  if (key.dataset.digit && input.value.length < input.maxLength) input.value += key.dataset.digit;
  if ("erase" in key.dataset) input.value = input.value.slice(0, -1);
  form.querySelector("#wrong").textContent = "";
  show();
});
input.addEventListener("input", show);
show();
