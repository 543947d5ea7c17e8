// Boxes over a clip: placed by mouse, finger or numbers at the moment that is shown, and carried between.
//
// What is drawn is what edge/evidence/masks.py covers. Times are in ms, places in thousandths of the picture.

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 10;
const SIDES = ["left", "top", "width", "height"];

const cover = document.getElementById("cover");
const video = cover.querySelector("video");
const stage = cover.querySelector("svg");
const form = cover.querySelector("form");
const list = cover.querySelector("[data-boxes]");
const moment = cover.querySelector("[data-moment]");
const play = cover.querySelector("[data-play]");
const said = cover.querySelector("[data-said]");
const addButton = cover.querySelector("[data-add]");
const larger = Number(cover.dataset.larger);
const atLeast = Number(cover.dataset.atLeast);
const earlierMs = Number(cover.dataset.earlierMs);

const masks = JSON.parse(form.elements.masks.value);
let chosen = 0;
let unsaved = false;

const nowMs = () => Math.round(video.currentTime * 1000);
const covering = () => masks.mode === "others";
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Where a box stands at this time: a straight line between its places. */
function place(track, atMs) {
  const before = track.keys.filter((key) => key.at_ms <= atMs);
  const after = track.keys.filter((key) => key.at_ms > atMs);
  const first = before.at(-1) ?? after[0];
  const last = after[0] ?? before.at(-1);
  const span = last.at_ms - first.at_ms;
  const by = span ? (atMs - first.at_ms) / span : 0;
  const between = (read) => read(first) + (read(last) - read(first)) * by;
  const left = between((key) => key.left);
  const top = between((key) => key.top);
  const right = between((key) => key.left + key.width);
  const bottom = between((key) => key.top + key.height);
  return { left, top, width: right - left, height: bottom - top };
}

function stands(track, atMs) {
  const around = covering() ? earlierMs : 0;
  return (track.begins_ms ?? 0) - around <= atMs && atMs <= (track.ends_ms ?? Infinity) + around;
}

/** The box is here at the moment that is shown. */
function put(track, box) {
  const width = clamp(Math.round(box.width), 1, 1000);
  const height = clamp(Math.round(box.height), 1, 1000);
  const left = clamp(Math.round(box.left), 0, 1000 - width);
  const top = clamp(Math.round(box.top), 0, 1000 - height);
  const key = { at_ms: nowMs(), left, top, width, height };
  track.keys = [...track.keys.filter((one) => one.at_ms !== key.at_ms), key].sort((a, b) => a.at_ms - b.at_ms);
  changed();
}

function add(box) {
  if (masks.tracks.length >= Number(cover.dataset.most)) {
    said.textContent = `No more than ${cover.dataset.most} boxes fit over one clip.`;
    return null;
  }
  const track = { keys: [], begins_ms: null, ends_ms: null };
  masks.tracks.push(track);
  chosen = masks.tracks.length - 1;
  put(track, box);
  return track;
}

function changed() {
  said.textContent = "Not saved yet.";
  unsaved = true;
  drawList();
  draw();
}

function shape(name, values, kind) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
  made.setAttribute("class", kind);
  return made;
}

const rect = (box, kind) => shape("rect", { x: box.left, y: box.top, width: box.width, height: box.height }, kind);

function draw() {
  const at = nowMs();
  const shown = masks.tracks.map((track, number) => [number, track]).filter(([, track]) => stands(track, at));
  const drawn = [];
  if (!covering()) {
    const holes = shown.map(([, track]) => place(track, at)).map((b) => `M${b.left} ${b.top}h${b.width}v${b.height}h${-b.width}z`);
    // One shade that leaves out every box, also where two lie over each other.
    const mask = shape("mask", { id: "seen" }, "");
    mask.append(shape("rect", { width: 1000, height: 1000, fill: "#fff" }, ""));
    mask.append(...holes.map((d) => shape("path", { d, fill: "#000" }, "")));
    drawn.push(mask, shape("rect", { width: 1000, height: 1000, mask: "url(#seen)" }, "shade"));
  }
  for (const [number, track] of shown) {
    const box = place(track, at);
    if (covering()) {
      const wide = Math.max(box.width * larger, atLeast);
      const high = Math.max(box.height * larger, atLeast);
      drawn.push(rect({ left: box.left - wide, top: box.top - high, width: box.width + 2 * wide, height: box.height + 2 * high }, "margin"));
    }
    const here = rect(box, number === chosen ? "place chosen" : "place");
    here.dataset.box = number;
    drawn.push(here);
    if (number === chosen) {
      const corner = shape("ellipse", { cx: box.left + box.width, cy: box.top + box.height, rx: cornerPart("clientWidth"), ry: cornerPart("clientHeight") }, "corner");
      corner.dataset.corner = number;
      drawn.push(corner);
    }
  }
  stage.replaceChildren(...drawn);
  cover.querySelector("[data-at]").textContent = `${(at / 1000).toFixed(1)} s`;
  if (document.activeElement !== moment) moment.value = video.currentTime;
  fillNumbers();
}

/** Twelve pixels, in thousandths of the picture. */
const cornerPart = (side) => 12_000 / (stage[side] || 1000);

function fillNumbers() {
  const at = nowMs();
  list.querySelectorAll(".box").forEach((item, number) => {
    const track = masks.tracks[number];
    const box = place(track, at);
    item.classList.toggle("box-chosen", number === chosen);
    for (const input of item.querySelectorAll("[data-side]")) {
      if (document.activeElement !== input) input.value = (box[input.dataset.side] / 10).toFixed(1);
    }
    for (const button of item.querySelectorAll(".keys button")) {
      if (Number(button.value) === at) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    item.querySelector("[data-forget]").disabled = track.keys.length < 2 || !track.keys.some((key) => key.at_ms === at);
  });
}

/** The numbers of each box. What somebody types into stays in place under their fingers. */
function drawList() {
  const template = cover.querySelector("template");
  while (list.children.length > masks.tracks.length) list.lastElementChild.remove();
  while (list.children.length < masks.tracks.length) list.append(template.content.cloneNode(true));
  masks.tracks.forEach((track, number) => {
    const item = list.children[number];
    item.querySelector("legend").textContent = `Box ${number + 1}`;
    for (const input of item.querySelectorAll("[data-time]")) {
      const value = track[input.dataset.time];
      if (document.activeElement !== input) input.value = value === null ? "" : value / 1000;
    }
    const buttons = track.keys.map((key) => {
      const button = document.createElement("button");
      button.type = "button";
      button.value = key.at_ms;
      button.textContent = `${(key.at_ms / 1000).toFixed(1)} s`;
      button.addEventListener("click", () => go(key.at_ms / 1000, number));
      return button;
    });
    item.querySelector(".keys").replaceChildren(item.querySelector(".keys span"), ...buttons);
  });
  cover.querySelector("[data-none]").hidden = masks.tracks.length > 0;
}

function go(seconds, number = chosen) {
  chosen = number;
  video.pause();
  video.currentTime = seconds;
  draw();
}

const numberOf = (element) => [...list.children].indexOf(element.closest(".box"));

list.addEventListener("focusin", (event) => {
  const number = numberOf(event.target);
  if (number >= 0 && number !== chosen) {
    chosen = number;
    draw();
  }
});

list.addEventListener("change", (event) => {
  const input = event.target;
  const track = masks.tracks[numberOf(input)];
  if (input.dataset.time) {
    track[input.dataset.time] = input.value === "" ? null : clamp(Math.round(Number(input.value) * 1000), 0, 3_600_000);
    changed();
    return;
  }
  const box = place(track, nowMs());
  for (const side of SIDES) {
    const typed = input.closest(".box").querySelector(`[data-side="${side}"]`).value;
    if (typed !== "") box[side] = Number(typed) * 10;
  }
  put(track, box);
});

list.addEventListener("click", (event) => {
  const number = numberOf(event.target);
  const track = masks.tracks[number];
  if (event.target.closest("[data-remove]")) {
    masks.tracks.splice(number, 1);
    chosen = clamp(chosen, 0, Math.max(0, masks.tracks.length - 1));
    changed();
    // The button that was pressed may be gone, or stand for the next box.
    addButton.focus();
  } else if (event.target.closest("[data-forget]") && track.keys.length > 1) {
    track.keys = track.keys.filter((key) => key.at_ms !== nowMs());
    changed();
  }
});

addButton.addEventListener("click", () => {
  video.pause();
  if (add({ left: 400, top: 300, width: 200, height: 400 })) list.lastElementChild.querySelector("input").select();
});

// One drag: of a new box, of one as a whole, or of its corner.
let drag = null;

function at(event) {
  const frame = stage.getBoundingClientRect();
  return {
    x: clamp(((event.clientX - frame.left) / frame.width) * 1000, 0, 1000),
    y: clamp(((event.clientY - frame.top) / frame.height) * 1000, 0, 1000),
  };
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || drag) return;
  video.pause();
  const from = at(event);
  const { corner, box } = event.target.dataset;
  if (corner !== undefined || box !== undefined) {
    chosen = Number(corner ?? box);
    drag = { from, kind: corner === undefined ? "move" : "size", box: place(masks.tracks[chosen], nowMs()) };
  } else {
    drag = { from, kind: "new", box: null };
  }
  stage.setPointerCapture(event.pointerId);
  event.preventDefault();
  draw();
});

stage.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const to = at(event);
  const { from, kind } = drag;
  if (kind === "new") {
    const box = { left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) };
    if (box.width < SMALLEST || box.height < SMALLEST) return;
    drag.track ??= add(box);
    if (drag.track) put(drag.track, box);
    return;
  }
  const { left, top, width, height } = drag.box;
  const moved = kind === "move" ? { left: left + to.x - from.x, top: top + to.y - from.y, width, height } : { left, top, width: Math.max(SMALLEST, width + to.x - from.x), height: Math.max(SMALLEST, height + to.y - from.y) };
  put(masks.tracks[chosen], moved);
});

for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => (drag = null));

for (const input of form.elements.mode) {
  input.checked = input.value === masks.mode;
  input.addEventListener("change", () => {
    masks.mode = form.elements.mode.value;
    changed();
  });
}
form.addEventListener("submit", () => {
  form.elements.masks.value = JSON.stringify(masks);
  unsaved = false;
});
// To mark the asker, or to go back, loads another page: boxes that were drawn are not lost without a question.
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

play.addEventListener("click", () => (video.paused ? video.play() : video.pause()));
moment.addEventListener("input", () => go(Number(moment.value)));
for (const name of ["play", "pause"]) {
  video.addEventListener(name, () => (play.textContent = video.paused ? "Play" : "Pause"));
}
function measured() {
  moment.max = video.duration;
  draw();
}
video.addEventListener("loadedmetadata", measured);
video.addEventListener("seeked", draw);
video.addEventListener("error", () => (said.textContent = "The video cannot be played; the look may be over."));
addEventListener("resize", draw);

function follow() {
  if (!video.paused) draw();
  requestAnimationFrame(follow);
}
follow();
drawList();
draw();
// It may have come before this.
if (video.readyState > 0) measured();
