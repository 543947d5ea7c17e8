"""Server-sent events (HTML Living Standard, 9.2): one thread reads the feed for every open stream.

Live delivery and replay pass the same filter. A stream is registered first, then replays up to where the hub
stood at that moment, then goes live: nothing falls between, nothing comes twice.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import sqlalchemy as sa

from edge.errors import EdgeError
from edge.paging import feed
from edge.paging.feed import Entry

_log = logging.getLogger(__name__)
BEAT_S = 5.0
LOOK_S = 1.0
RETRY_MS = 1000
# Entries that a slow browser may be behind before its stream ends; it comes back with its Last-Event-ID.
BACKLOG = 256
# Streams of one sign-in: more than any one screen needs, fewer than would crowd out the others.
PER_SESSION = 6
# After a restart everyone comes back at once. Each stream's beats then begin at another part of the interval
# (the golden ratio spreads any number of them), or all would ask for their sign-ins in the same moment.
_SPREAD = 0.618034
_CHUNK = 500

Read = Callable[[], AbstractContextManager[sa.Connection]]


class StreamsFull(EdgeError):
    """As many streams are open as the server is set to. The page may poll, and ask again later."""


class Feed:
    """The feed table of one store, for the hub."""

    def __init__(self, read: Read, store: str) -> None:
        self._read = read
        self._store = store

    def head(self) -> int:
        with self._read() as conn:
            return feed.head(conn, self._store)

    def after(self, cursor: int) -> list[Entry]:
        with self._read() as conn:
            return feed.after(conn, self._store, cursor, _CHUNK)

    def holds(self, cursor: int) -> bool:
        """Whether everything behind `cursor` is still there: neither forgotten nor from another life."""
        with self._read() as conn:
            head = feed.head(conn, self._store)
            return cursor == head or feed.oldest(conn, self._store) - 1 <= cursor <= head


class Stream:
    """One open browser. Iterating blocks and gives what is to be written, at once."""

    def __init__(
        self,
        hub: "Hub",
        audiences: frozenset[str],
        session: str,
        after: int | None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self.audiences = audiences
        self.session = session
        # Whether the browser has hung up, which writing would show only at the next beat.
        self.gone = gone
        # Where live delivery begins; set by the hub when it registers the stream.
        self.live_from = 0
        # How much of the first interval is left out, 0 to 1; set by the hub too.
        self.phase = 0.0
        self._hub = hub
        self._after = after
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._ended = False

    def offer(self, entry: Entry) -> None:
        """Called by the hub's thread alone."""
        if self._queue.qsize() >= BACKLOG:
            self.end()
        else:
            self._queue.put(entry)

    def end(self) -> None:
        """The iteration stops at the next chance. Any thread."""
        self._ended = True
        self._queue.put(None)

    def written(
        self,
        valid: Callable[[], bool],
        sent: Callable[[Entry], None],
        nonce: Callable[[], str] = lambda: "",
        *,
        beat_s: float = BEAT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Iterator[bytes]:
        """The bytes of the stream. `sent` is called once an entry has been written to the browser.

        `nonce` gives what each beat asks the phone to answer with.
        `valid` is asked at each beat; False ends the stream, as a sign-out or a disabled person does.
        Whoever holds the stream must give it back with Hub.leave, whether or not it was ever iterated.
        """
        try:
            yield f"retry: {RETRY_MS}\n\n".encode() + beat(self._hub.calling(), nonce())
            beat_due = monotonic() + beat_s * (1 - self.phase)
            last = self.live_from
            if self._after is not None:
                if not self._hub.feed.holds(self._after):
                    yield b"event: reload\ndata: {}\n\n"
                else:
                    for entry in self._replay(self._after):
                        yield render(entry)
                        sent(entry)
                    last = max(last, self._after)
            while not self._ended:
                item = self._next(beat_due - monotonic())
                if self._ended:
                    return
                if monotonic() >= beat_due:
                    # Also between entries that never pause: whoever is signed out hears no more.
                    if not valid():
                        return
                    yield beat(self._hub.calling(), nonce())
                    beat_due = monotonic() + beat_s
                if item is not None and item.cursor > last:
                    yield render(item)
                    sent(item)
        except EdgeError as error:
            # The browser comes back by itself and replays.
            _log.warning("A stream ends early: %s", error)

    def _next(self, timeout_s: float) -> Entry | None:
        try:
            return self._queue.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None

    def _replay(self, cursor: int) -> Iterator[Entry]:
        while cursor < self.live_from:
            entries = self._hub.feed.after(cursor)
            if not entries:
                return
            for entry in entries:
                cursor = entry.cursor
                if cursor > self.live_from or self._ended:
                    return
                if entry.audience in self.audiences:
                    yield entry


class Hub:
    """Reads what is new once and offers it to every stream that may see it."""

    def __init__(self, source: Feed, cap: int) -> None:
        self.feed = source
        # Whether presses reach people at this moment; every beat tells the browser.
        self.calling: Callable[[], bool] = lambda: True
        self._cap = cap
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._cursor: int | None = None
        self._entered = 0
        self._stopped = False
        # True wakes, False stops. SimpleQueue.put may be called in a signal handler.
        self._wakes: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="web-feed", daemon=True)

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    def start(self) -> None:
        self._thread.start()

    def notify(self) -> None:
        """Something may be new. Never blocks."""
        self._wakes.put(True)

    def end_streams(self) -> None:
        """End every stream and accept no more. Never blocks, so that a signal handler may call it."""
        self._stopped = True
        self._wakes.put(False)

    def stop(self, timeout_s: float = 3.0) -> None:
        self.end_streams()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def enter(
        self,
        audiences: frozenset[str],
        session: str,
        after: int | None,
        gone: Callable[[], bool] = lambda: False,
    ) -> Stream:
        """A stream of what these audiences may see, beginning behind `after`; None means from now on.

        `gone` says whether its browser has hung up. StreamsFull if there are as many as allowed, of this
        session or of all, whose browsers are still there.
        """
        with self._lock:
            own = sum(1 for stream in self._streams if stream.session == session)
            if len(self._streams) >= self._cap or own >= PER_SESSION:
                # Whoever goes quickly from page to page leaves streams behind that end only at their beat.
                for stream in [stream for stream in self._streams if stream.gone()]:
                    stream.end()
                    self._streams.discard(stream)
                    own -= stream.session == session
            if self._stopped or len(self._streams) >= self._cap or own >= PER_SESSION:
                raise StreamsFull("All live connections are taken; this page asks every few seconds instead.")
            if self._cursor is None:
                self._cursor = self.feed.head()
            stream = Stream(self, audiences, session, after, gone)
            stream.live_from = self._cursor
            stream.phase = self._entered * _SPREAD % 1
            self._entered += 1
            self._streams.add(stream)
            return stream

    def leave(self, stream: Stream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def pump(self) -> int:
        """Hand out what is new; how many entries that was. For the hub's thread, and for tests without it."""
        count = 0
        with self._lock:
            if self._cursor is None:
                self._cursor = self.feed.head()
            cursor = self._cursor
        while entries := self.feed.after(cursor):
            with self._lock:
                for entry in entries:
                    for stream in self._streams:
                        if entry.audience in stream.audiences:
                            stream.offer(entry)
                self._cursor = cursor = entries[-1].cursor
            count += len(entries)
        return count

    def _run(self) -> None:
        while not self._stopped:
            try:
                self.pump()
            except EdgeError as error:
                _log.warning("The feed cannot be read, streams wait: %s", error)
            try:
                self._wakes.get(timeout=LOOK_S)
                while not self._wakes.empty():
                    self._wakes.get()
            except queue.Empty:
                pass
        with self._lock:
            for stream in self._streams:
                stream.end()


def render(entry: Entry) -> bytes:
    """An entry as an event: id is the cursor, the name says what, data is its JSON on one line."""
    return f"id: {entry.cursor}\nevent: {entry.what}\ndata: {entry.body}\n\n".encode()


def beat(calling: bool, nonce: str = "") -> bytes:
    """The stream's sign of life, and whether the store calls anyone now. A phone answers with the nonce."""
    body = {"calling": calling} | ({"nonce": nonce} if nonce else {})
    return f"event: beat\ndata: {json.dumps(body)}\n\n".encode()
