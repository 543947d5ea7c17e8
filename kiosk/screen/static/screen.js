// Keeps the page what the kiosk says. It invents no words and no state: both come with the stream.
"use strict";
(() => {
  const SILENT_MS = 1600; // the stream beats every 500 ms
  const SETTLE_MS = 400; // a second tap of the same finger must not hit what has just appeared under it
  const CLICK_MS = 350; // the longest from a finger that lifts to its click
  const HELD_MS = 1500; // a finger, or a sleeve, that stays longer is no tap
  const root = document.documentElement;
  const places = new Map([...document.querySelectorAll("[data-region]")].map((el) => [el.dataset.region, el]));
  const drawn = new Map();
  const away = document.querySelector("template[data-away]");
  let heardAt = performance.now();
  let changedAt = -SETTLE_MS;
  let drawnAt = performance.now();
  let stream = null;
  let finger = null; // ends the wait for a tap
  let late = null; // the newest scene that came during it

  function sameButton(button) {
    return Object.entries(button.dataset).map(([k, v]) => `[data-${k}="${CSS.escape(v)}"]`).join("");
  }

  function put(name, html) {
    const place = places.get(name);
    if (!place || drawn.get(name) === html) return;
    const focused = place.contains(document.activeElement) ? sameButton(document.activeElement) : null;
    place.innerHTML = html;
    drawn.set(name, html);
    if (name === "keys") changedAt = performance.now();
    if (focused) (place.querySelector(focused) || place.querySelector("button"))?.focus();
  }

  // A button that is drawn anew between a finger and its click takes no click.
  addEventListener("pointerdown", () => {
    clearTimeout(finger);
    finger = setTimeout(lift, HELD_MS);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => {
      if (finger === null) return;
      clearTimeout(finger);
      finger = setTimeout(lift, CLICK_MS);
    });
  }
  addEventListener("click", () => setTimeout(lift));

  function lift() {
    clearTimeout(finger);
    finger = null;
    const scene = late;
    late = null;
    if (scene) show(scene);
  }

  function show(scene) {
    if (finger !== null) {
      late = scene;
      return;
    }
    drawnAt = performance.now();
    root.dataset.mode = scene.mode;
    root.dataset.state = scene.state;
    root.dataset.size = scene.size;
    root.dataset.news = scene.news;
    root.lang = scene.lang;
    for (const [name, html] of Object.entries(scene.regions)) put(name, html);
    count();
  }

  function lose() {
    if (root.dataset.mode === "lost" || !away || finger !== null) return;
    late = null;
    root.dataset.mode = root.dataset.state = "lost";
    root.dataset.size = "medium";
    for (const name of places.keys()) {
      const part = away.content.querySelector(`[data-part="${name}"]`);
      put(name, part ? part.innerHTML : "");
    }
  }

  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }

  function count() {
    const passed = (performance.now() - drawnAt) / 1000;
    const age = document.querySelector("[data-age]");
    if (age) age.textContent = clock(Number(age.dataset.age) + passed);
    const left = document.querySelector("[data-left]");
    if (left) {
      const seconds = Math.max(0, Number(left.dataset.left) - passed);
      left.textContent = clock(Math.ceil(seconds));
      const bar = left.parentElement.querySelector("progress");
      if (bar) bar.value = Math.min(60, seconds);
    }
  }

  function connect() {
    stream?.close();
    stream = new EventSource("stream");
    stream.addEventListener("beat", () => { heardAt = performance.now(); });
    stream.addEventListener("scene", (event) => {
      heardAt = performance.now();
      show(JSON.parse(event.data));
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-what]");
    if (!button) return;
    const inKeys = places.get("keys").contains(button);
    if (inKeys && performance.now() - changedAt < SETTLE_MS) return;
    const { what, key = "", value = "", question = "" } = button.dataset;
    button.classList.add("touched");
    setTimeout(() => button.classList.remove("touched"), 600);
    fetch("touch", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Floorbell-Screen": "touch" },
      body: JSON.stringify({ what, key, value, question }),
    }).catch(() => {}); // what became of it shows in the next scene, or in the stream's silence
  });

  let triedAt = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - heardAt > SILENT_MS) {
      lose();
      if (now - triedAt > 1500) {
        triedAt = now;
        connect();
      }
    }
    count();
  }, 200);
  connect();
})();
