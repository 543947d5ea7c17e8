// Shows the calls that reach a locked phone, and reports back. Served as /floor/worker.js behind WORDS and KEY,
// so that it may act for the floor's pages and for no others.

// The same for all kinds: nobody tells them apart by feel.
const VIBRATION = [220, 120, 220, 120, 220];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(open(event.notification)));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

// What cannot be read is a call all the same.
function read(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

async function show(said) {
  const words = WORDS[said.what] ?? WORDS.open;
  const at = new Date(said.at ?? Date.now());
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const body = [said.drill && WORDS.drill, words.body ?? said.place, time].filter(Boolean).join(" · ");
  // The page in front makes its own sound.
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const silent = pages.some((page) => page.visibilityState === "visible");
  await self.registration.showNotification(words.title, {
    body,
    tag: said.tag ?? "floorbell",
    renotify: true,
    requireInteraction: said.what !== "trial",
    timestamp: at.getTime(),
    icon: "/static/icons/icon-192.png",
    silent,
    ...(silent ? {} : { vibrate: VIBRATION }),
    data: { push: said.push, request: said.request ?? "" },
  });
  await report(said.push, "shown");
}

async function open(notification) {
  notification.close();
  const { push, request } = notification.data ?? {};
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => new URL(one.url).pathname === "/floor/");
  if (page) {
    await page.focus();
    page.postMessage({ request });
  } else {
    await self.clients.openWindow(`/floor/#${request}`);
  }
  await report(push, "opened");
}

async function renew(event) {
  const wanted = { userVisibleOnly: true, applicationServerKey: KEY };
  const made = event.newSubscription ?? (await self.registration.pushManager.subscribe(wanted));
  const { endpoint, keys } = made.toJSON();
  await post("renewed", { endpoint, ...keys });
}

// Without an answer nothing is claimed: the call is shown, and counts as sent.
async function report(push, stage) {
  if (push) await post("told", { push, stage }).catch(() => {});
}

const post = (where, fields) =>
  fetch(`/floor/locked/${where}`, { method: "POST", body: new URLSearchParams(fields), headers: { "Floorbell-Call": "1" } });
