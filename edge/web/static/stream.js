// One event stream per page, and the truth about it. Nothing here knows what the page shows.

const FRESH_MS = 10_000; // heard from the server, or by it where it confirms, this recently: connected
const STALE_MS = 12_000; // two missed beats: this stream is dead, whatever the browser thinks
const POLL_MS = 5_000;
const RETRY_MS = 15_000;

/**
 * Listen to `url` from `cursor` on.
 * on: {what: (body, id) => void} for each kind of news; poll(): Promise, called while there is no stream;
 * catchUp(): called when news may have been missed; link(state): 'unknown', 'connected',
 * 'stopped' (the pages are there, but presses do not come through to the store) or 'lost'.
 * answer(nonce): Promise, resolved once the server has confirmed that it heard this page's answer to a beat.
 * With it, 'connected' is only what was confirmed. link is also given the time of day of the last good moment.
 * Returns heard(nonce), to be called after any other round trip to the server.
 */
export function listen(url, cursor, { on, poll, catchUp, link, answer = null }) {
  const begun = performance.now();
  let source = null;
  let last = cursor;
  let heardAt = null;
  let calling = true;
  let openedAt = begun;
  let retry = null;
  let polling = null;

  // By this page's own monotonic clock, from before the answer left: what came back late proves less.
  let goodAt = null;
  let goodDay = new Date();

  const silence = () => performance.now() - (heardAt ?? openedAt);

  function heard(nonce) {
    heardAt = performance.now();
    if (!answer) good(heardAt);
    else if (nonce) confirm(nonce, heardAt);
    show();
  }

  function confirm(nonce, askedAt) {
    answer(nonce).then(
      () => (good(askedAt), show()),
      () => {},
    );
  }

  function good(at) {
    goodAt = Math.max(goodAt ?? at, at);
    goodDay = new Date(Date.now() - (performance.now() - goodAt));
  }

  function show() {
    if (goodAt === null) link(performance.now() - begun < FRESH_MS ? "unknown" : "lost", goodDay);
    else link(performance.now() - goodAt >= FRESH_MS ? "lost" : calling ? "connected" : "stopped", goodDay);
  }

  function open() {
    close();
    openedAt = performance.now();
    source = new EventSource(`${url}?after=${encodeURIComponent(last)}`);
    source.addEventListener("beat", (event) => {
      const said = JSON.parse(event.data);
      calling = said.calling !== false;
      stopPolling();
      heard(said.nonce);
    });
    source.addEventListener("reload", () => location.reload());
    for (const [what, act] of Object.entries(on)) {
      source.addEventListener(what, (event) => {
        last = event.lastEventId || last;
        heard();
        act(JSON.parse(event.data), event.lastEventId);
      });
    }
    source.onerror = () => {
      // CONNECTING: the browser comes back by itself. CLOSED: it was refused and gave up.
      if (source && source.readyState === EventSource.CLOSED) {
        startPolling();
        again(RETRY_MS);
      }
    };
  }

  function close() {
    if (source) source.close();
    source = null;
    clearTimeout(retry);
    retry = null;
  }

  function again(afterMs) {
    clearTimeout(retry);
    retry = setTimeout(open, afterMs * (0.7 + 0.6 * Math.random()));
  }

  function startPolling() {
    if (polling === null) polling = setInterval(() => poll().catch(() => {}), POLL_MS);
  }

  function stopPolling() {
    clearInterval(polling);
    polling = null;
  }

  function wake() {
    if (document.visibilityState === "hidden") return;
    show();
    if (silence() > 6_000) {
      open();
      catchUp();
    }
  }

  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => event.persisted && (open(), catchUp()));
  addEventListener("pagehide", close);
  setInterval(() => {
    show();
    // A connection that died without a word; the browser would wait for minutes.
    if (polling === null && performance.now() - openedAt > STALE_MS && silence() > STALE_MS) open();
  }, 1_000);

  show();
  open();
  return heard;
}
