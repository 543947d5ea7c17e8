// The guided round: it does in the real pages what people would do, one step after the other, and says what
// is to be seen. Nothing is played back: each step waits for what it speaks of.
import { choose, press, release } from "./page.js";
import { signIn } from "./signin.js";

const bar = document.getElementById("tour");
const caption = bar.querySelector("[data-caption]");
const count = bar.querySelector("[data-count]");
const meter = bar.querySelector("progress");
const start = document.getElementById("tour-start");
const phone = document.getElementById("phone");
const desk = document.getElementById("desk");
const KIOSK = "kiosk-fitting-rooms";
// With a camera, if the demo has any.
const THREATENED = "kiosk-entrance";

let running = null;
let request = "";

const find = (frame, selector) => frame.contentDocument?.querySelector(selector);
const shopper = () => document.querySelector(`[data-case="${KIOSK}"]`);
const state = () => shopper().dataset.state;
const clipCame = () => !document.getElementById("clip-open").hidden;

// What is looked at, what is said, for how long at least, and what happens at its beginning. `until` is what
// must have come true before the next one; after ten seconds the round goes on without it and says so.
const STEPS = [
  {
    at: "kiosk",
    words: "A shop floor: a kiosk with buttons and a lamp, an associate’s phone, the manager’s desk. Marta signs in.",
    seconds: 4,
    act: () => (choose(KIOSK), signIn()),
    until: () => find(phone, "#board") && find(desk, ".desk"),
  },
  {
    at: "kiosk",
    words: "A shopper needs a fitting room and presses once. The lamp answers at once: saved here, then sent.",
    seconds: 6,
    act: () => tap("fitting-room"),
    until: () => find(phone, "[data-waiting]"),
  },
  {
    at: "phone",
    words: "Marta’s phone rings: what, where, in which language, and why she is the one who is called.",
    seconds: 6,
    until: () => find(phone, "[data-waiting] .button-accept"),
  },
  {
    at: "phone kiosk",
    words: "One tap: “I’m coming.” The shopper reads her name, and only now does the kiosk say so.",
    seconds: 6,
    act: () => find(phone, "[data-waiting] .button-accept")?.click(),
    until: () => state() === "on_the_way",
  },
  {
    at: "phone kiosk",
    words: "She is there. Nobody closes a request without saying how it ended.",
    seconds: 5,
    act: () => find(phone, ".button-here")?.click(),
    until: () => state() === "here",
  },
  {
    at: "kiosk",
    words: "“Helped.” For a minute the kiosk asks how it was; the score belongs to this request.",
    seconds: 6,
    act: () => resolve("helped"),
    until: () => ["resolved", "idle"].includes(state()),
    then: () => tap("smiley-4"),
  },
  {
    at: "kiosk",
    words: "At the entrance an associate is threatened: security, held for two seconds. Look at the kiosk: nothing shows.",
    seconds: 5,
    act: () => (choose(THREATENED), hold("security", 1900)),
  },
  {
    at: "desk",
    words: "The desk sees it, with who was called and when. After ten seconds everyone on the floor is called.",
    seconds: 8,
    act: () => (desk.src = desk.dataset.floor),
    until: () => find(phone, "[data-kind='security'][data-waiting]"),
  },
  {
    at: "phone",
    words: "Somebody answers, and the paging ends. It would never have ended by itself.",
    seconds: 5,
    act: () => {
      request = find(phone, "[data-kind='security'][data-request]")?.dataset.request ?? "";
      find(phone, "[data-kind='security'] .button-accept")?.click();
    },
    until: () => find(phone, "[data-kind='security'] .outcome[value='handled']"),
    then: () => resolve("handled"),
  },
  {
    at: "desk",
    get words() {
      return clipCame()
        ? "It stands in the log with its reasons, and with the clip: seconds before the press and after it. Now it is your shop."
        : "All of it stands in the log, with its reasons. Now it is your shop: press whatever you like.";
    },
    seconds: 5,
    act: () => (desk.src = clipCame() && request ? `${desk.dataset.log}/${request}` : desk.dataset.log),
  },
];

const wait = (ms, signal) =>
  new Promise((go) => {
    const timer = setTimeout(go, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), go()), { once: true });
  });

function tap(button) {
  if (!shopper().querySelector(`[data-button="${button}"]`)) return;
  press(KIOSK, button);
  setTimeout(() => release(KIOSK, button), 90);
}

function hold(button, ms) {
  press(THREATENED, button);
  setTimeout(() => release(THREATENED, button), ms);
}

function resolve(outcome) {
  const done = find(phone, "details.done");
  if (done) done.open = true;
  find(phone, `.outcome[value='${outcome}']`)?.click();
}

function look(at) {
  for (const part of document.querySelectorAll(".stage > section")) {
    part.classList.toggle("is-shown", at.split(" ").some((name) => part.classList.contains(name)));
  }
  document.querySelector(`.stage > .${at.split(" ")[0]}`)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

async function play() {
  running?.abort();
  const { signal } = (running = new AbortController());
  document.body.classList.add("on-tour");
  bar.hidden = false;
  start.hidden = true;
  meter.max = STEPS.length;
  bar.focus();
  for (const [index, step] of STEPS.entries()) {
    if (signal.aborted) return;
    look(step.at);
    caption.textContent = step.words;
    count.textContent = `${index + 1} of ${STEPS.length}`;
    meter.value = index + 1;
    await wait(index ? 600 : 0, signal);
    if (signal.aborted) return;
    step.act?.();
    const until = performance.now() + step.seconds * 1000;
    const latest = until + 10_000;
    while (!signal.aborted && performance.now() < (step.until && !step.until() ? latest : until)) {
      await wait(100, signal);
    }
    if (signal.aborted) return;
    if (step.until && !step.until()) {
      caption.textContent = "This step did not come to its end here. The round stops; everything works as before.";
      await wait(4000, signal);
      break;
    }
    step.then?.();
  }
  end();
}

function end() {
  running?.abort();
  running = null;
  document.body.classList.remove("on-tour");
  for (const part of document.querySelectorAll(".stage > section")) part.classList.remove("is-shown");
  bar.hidden = true;
  start.hidden = false;
  start.focus({ preventScroll: true });
}

start.addEventListener("click", play);
bar.querySelector("[data-end]").addEventListener("click", end);
addEventListener("keydown", (event) => event.key === "Escape" && running && end());
