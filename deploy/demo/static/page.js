// The kiosk panel: pressing drives the mock pin, the lamp is what the mock PWM pins carry.
const cases = new Map([...document.querySelectorAll("[data-case]")].map((c) => [c.dataset.case, c]));
const tabs = [...document.querySelectorAll("[data-kiosk]")];
const trouble = document.getElementById("trouble");
let stream = null;
let pressed = false;

function say(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

function draw(panel, where) {
  const [r, g, b] = panel.lamp;
  const level = Math.max(r, g, b);
  const lamp = where.querySelector("[data-lamp]");
  const hue = level ? [r, g, b].map((part) => Math.round((255 * part) / level)) : [0, 0, 0];
  lamp.style.setProperty("--lamp", `rgb(${hue.join(" ")})`);
  lamp.style.setProperty("--level", String(level));
  lamp.setAttribute("aria-label", `Lamp: ${panel.shown.state.replaceAll("_", " ")}`);
  where.dataset.state = panel.shown.state;
  const sentence = where.querySelector("[data-sentence]");
  if (sentence.textContent !== panel.shown.sentence) sentence.textContent = panel.shown.sentence;
  const reference = where.querySelector("[data-reference]");
  reference.textContent = panel.shown.reference ? `Your code: ${panel.shown.reference}` : "";
  drawCamera(panel, where.querySelector("[data-filming]"));
  for (const key of where.querySelectorAll("[data-button]")) {
    key.classList.toggle("is-down", panel.down.includes(key.dataset.button));
    key.classList.toggle("is-lit", panel.lit.includes(key.dataset.button));
  }
  if (!pressed) return;
  if (["saved", "sent", "seen", "on_the_way", "here", "resolved"].includes(panel.shown.state)) done("press");
  if (["on_the_way", "here", "resolved"].includes(panel.shown.state)) done("answer");
}

// The camera's own lamp: lit as long as it keeps pictures, whatever is pressed.
function drawCamera(panel, place) {
  if (!place) return;
  const there = typeof panel.films === "boolean";
  place.hidden = !there;
  place.classList.toggle("is-lit", there && panel.films);
  const words = place.querySelector("[data-filming-words]");
  const sentence = panel.films ? "Camera lamp lit: it watches" : "Camera lamp off: it does not watch";
  if (words.textContent !== sentence) words.textContent = sentence;
}

function follow(name) {
  stream?.close();
  stream = new EventSource(`/demo/kiosk/${name}/stream`);
  stream.onmessage = (event) => {
    say("");
    draw(JSON.parse(event.data), cases.get(name));
  };
  stream.addEventListener("away", () => say("This kiosk does not answer; trying again."));
  stream.onerror = () => say("This kiosk does not answer; trying again.");
}

function show(tab) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    cases.get(other.dataset.kiosk).hidden = !chosen;
  }
  follow(tab.dataset.kiosk);
}

for (const tab of tabs) {
  tab.addEventListener("click", () => show(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    show(next);
  });
}

// One after the other for each button: a release must never overtake its press.
const order = new Map();
function touch(kiosk, act, button) {
  const key = `${kiosk}/${button}`;
  const send = () =>
    fetch(`/demo/kiosk/${kiosk}/${act}?button=${encodeURIComponent(button)}`, {
      method: "POST",
      headers: { "X-Floorbell-Demo": "1" },
      keepalive: true,
    }).then((answer) => {
      if (!answer.ok) say("This kiosk does not answer.");
    }).catch(() => say("This kiosk does not answer."));
  order.set(key, (order.get(key) ?? Promise.resolve()).then(send));
}

const held = new Map();
function down(key) {
  if (held.has(key)) return;
  held.set(key, key.closest("[data-case]").dataset.case);
  pressed = true;
  key.classList.add("is-touched");
  touch(held.get(key), "press", key.dataset.button);
}
function up(key) {
  const kiosk = held.get(key);
  if (!kiosk) return;
  held.delete(key);
  key.classList.remove("is-touched");
  touch(kiosk, "release", key.dataset.button);
}
for (const key of document.querySelectorAll("[data-button]")) {
  key.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    key.setPointerCapture(event.pointerId);
    down(key);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    key.addEventListener(end, () => up(key));
  }
  key.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (!event.repeat) down(key);
    }
  });
  key.addEventListener("keyup", () => up(key));
  key.addEventListener("contextmenu", (event) => event.preventDefault());
}
addEventListener("pagehide", () => [...held.keys()].forEach(up));

// A screen of 800 x 480 in the width that there is.
const fitting = new ResizeObserver((changes) => {
  for (const { target, contentRect } of changes) target.style.setProperty("--scale", contentRect.width / 800);
});
for (const display of document.querySelectorAll("[data-display]")) fitting.observe(display);

function done(step) {
  document.querySelector(`[data-step="${step}"]`)?.classList.add("is-done");
}
// Same origin: the page may see which page its frame shows, to tick the first step off.
document.getElementById("phone").addEventListener("load", (event) => {
  if (event.target.contentWindow?.location.pathname === "/floor/") done("sign-in");
});

show(tabs[0]);

export const choose = (kiosk) => show(tabs.find((tab) => tab.dataset.kiosk === kiosk));
export function press(kiosk, button) {
  pressed = true;
  touch(kiosk, "press", button);
}
export const release = (kiosk, button) => touch(kiosk, "release", button);
