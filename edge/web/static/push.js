// Calls to this phone while it is locked: whether this browser can be called, and having it called.

const WORKER = "/floor/worker.js";
const SCOPE = "/floor/";
const place = (person) => `floorbell-locked-${person}`;

/** Why this browser cannot be called: 'insecure', 'home' (an iPhone's page that is not on the home screen),
 * 'none' or 'denied'; '' where it can. */
export function hindrance() {
  if (!window.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    const apple = /iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
    return apple && !navigator.standalone ? "home" : "none";
  }
  return Notification.permission === "denied" ? "denied" : "";
}

/** Whether this person has chosen it on this phone; they have to be signed in to be called. */
export function chosen(person) {
  try {
    return localStorage.getItem(place(person)) === "1";
  } catch {
    return false;
  }
}

function choose(person, on) {
  try {
    if (on) localStorage.setItem(place(person), "1");
    else localStorage.removeItem(place(person));
  } catch {
    // It holds until the page is left.
  }
}

/** Have this phone called; to be called inside a touch. Error 'denied', 'nothing' (no push service) or 'unheard'. */
export async function switchOn({ me, token, about, on }) {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("denied");
  await subscribe({ token, about, on }, true);
  choose(me, true);
}

/** At each sign-in, and when the browser has a new address: as long as its person has chosen it. */
export async function keepOn({ me, token, about, on }) {
  if (chosen(me) && !hindrance() && Notification.permission === "granted") await subscribe({ token, about, on }, false);
}

export async function switchOff({ me, token, off }) {
  choose(me, false);
  await post(off, token, {});
}

export async function post(address, token, fields) {
  const how = { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": token } };
  const answer = await fetch(address, { ...how, signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!answer?.ok) throw new Error("unheard");
}

async function subscribe({ token, about, on }, trial) {
  const answer = await fetch(about, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!answer?.ok) throw new Error("unheard");
  const { key } = await answer.json();
  const made = await subscription(key).catch(() => null);
  if (!made) throw new Error("nothing");
  const { endpoint, keys } = made.toJSON();
  await post(on, token, { endpoint, p256dh: keys.p256dh, auth: keys.auth, trial: trial ? "1" : "" });
}

async function subscription(key) {
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await navigator.serviceWorker.ready;
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  const known = await registration.pushManager.getSubscription();
  if (known && same(known.options.applicationServerKey, key)) return known;
  await known?.unsubscribe();
  return registration.pushManager.subscribe(wanted);
}

function same(raw, key) {
  const text = btoa(String.fromCharCode(...new Uint8Array(raw ?? [])));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === key;
}

/** Calls that were shown and of which none is open any more do not stay on the screen. */
export async function clearShown() {
  const registration = await navigator.serviceWorker?.getRegistration(SCOPE);
  for (const one of (await registration?.getNotifications()) ?? []) one.close();
}
