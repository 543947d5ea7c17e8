// Ages that count up, by the server's clock.

const offsetMs = Number(document.body.dataset.now) - Date.now();

/** The time of day at the server, in ms since 1970. */
export const storeNow = () => Date.now() + offsetMs;

const two = (n) => String(n).padStart(2, "0");

function clock(s) {
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// The same words as edge/web/words.py, span().
export function span(s) {
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86_400)} days`;
}

export function tick() {
  for (const element of document.querySelectorAll("[data-since]")) {
    const s = Math.max(0, Math.floor((Date.now() + offsetMs - Number(element.dataset.since)) / 1000));
    const text = element.dataset.format === "clock" ? clock(s) : span(s);
    if (element.textContent !== text) element.textContent = text;
  }
}

tick();
setInterval(tick, 1_000);
