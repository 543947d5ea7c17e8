// The switch for calls while the phone is locked: what stands beside it is what is known.

import { hindrance, post, switchOff, switchOn } from "./push.js";

const LOOKS_MS = [1_000, 1_000, 1_000, 2_000, 2_000, 3_000, 5_000, 5_000, 10_000, 30_000];
const box = document.getElementById("locked");
const facts = box.dataset;
const [line, aside] = ["locked-state", "locked-sender"].map((id) => document.getElementById(id));
const buttons = Object.fromEntries([...box.querySelectorAll("button")].map((one) => [one.dataset.does, one]));
let looking = null;

function say(state, at = null) {
  const time = at && new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  line.textContent = (facts[state] ?? "").replace("{time}", time ?? "");
  line.dataset.state = state;
}

function show(state, at, sender) {
  const why = hindrance();
  const on = state !== "off";
  // Switched on, it may have been blocked since.
  const known = state === "waiting" && !sender ? "on" : state;
  say(why && (!on || why === "denied") ? why : known, at);
  aside.hidden = !on || sender;
  buttons.on.hidden = on || Boolean(why);
  buttons.off.hidden = buttons.trial.hidden = !on;
}

async function look(number = 0) {
  clearTimeout(looking);
  const answer = await fetch(facts.about).catch(() => null);
  if (!answer?.ok) return say("unheard");
  const { state, at, sender } = await answer.json();
  show(state, at, sender);
  if (["waiting", "sent"].includes(state) && number < LOOKS_MS.length) looking = setTimeout(look, LOOKS_MS[number], number + 1);
}

async function act(button, work) {
  button.disabled = true;
  try {
    await work();
    await look();
  } catch (error) {
    say(facts[error.message] ? error.message : "nothing");
  }
  button.disabled = false;
}

const wanted = { me: facts.me, token: facts.token, about: facts.about, on: facts.address, off: facts.end };
buttons.on.addEventListener("click", () => act(buttons.on, () => switchOn(wanted)));
buttons.off.addEventListener("click", () => act(buttons.off, () => switchOff(wanted)));
buttons.trial.addEventListener("click", () => act(buttons.trial, () => post(facts.try, facts.token, {})));
look();
