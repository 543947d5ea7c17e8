"""The one thread of a process that writes. Others hand it a function and wait for the commit."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

from edge.errors import StorageError

T = TypeVar("T")
# What PostgreSQL says to one of two that wait for each other: nothing was written, it is to begin again.
AGAIN = ("40P01", "40001")
ATTEMPTS = 4
_Job = tuple[Callable[[sa.Connection], Any], "Future[Any]"]


class Writer:
    """Runs one function per transaction, in order. What it raises is rolled back and raised to its caller.

    A function is called again where the database has ended its transaction for AGAIN.
    """

    def __init__(self, engine: sa.Engine, name: str = "writer") -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False
        self._thread.start()

    def run(self, work: Callable[[sa.Connection], T], timeout_s: float = 15.0) -> T:
        """The function's result, once it is committed. StorageError if the database cannot be written."""
        if self._closed:
            raise StorageError("The server is stopping; try again in a moment.")
        future: Future[T] = Future()
        self._jobs.put((work, future))
        try:
            return future.result(timeout_s)
        except TimeoutError:
            if future.cancel():
                # It waited behind another one and is not begun any more.
                raise StorageError("The database did not answer in time; nothing was saved.") from None
            raise StorageError("The database did not answer in time; nothing is known to be saved.") from None

    def close(self, timeout_s: float = 5.0) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._attempt(work)
            except sa.exc.DBAPIError as error:
                future.set_exception(StorageError(f"The database could not be written: {error.orig}."))
            except Exception as error:
                # It belongs to the caller, not to this thread, which must go on.
                future.set_exception(error)
            else:
                future.set_result(result)

    def _attempt(self, work: Callable[[sa.Connection], T]) -> T:
        attempt = 1
        while True:
            try:
                # A connection each, from the pool: one that broke, or could not be made, is no later job's.
                with self._engine.connect() as connection, connection.begin():
                    return work(connection)
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in AGAIN or attempt == ATTEMPTS:
                    raise
                attempt += 1
