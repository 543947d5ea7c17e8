"""Whoever sends half a request, reads slowly or never hangs up holds nothing that others need."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edge import headers
from edge.serving import worker
from edge.web.server import SPARE_THREADS
from tests.rig import furnished
from tests.rig.phone import Phone
from tests.rig.store import PASSWORD, Rig, listens, wait_for

pytestmark = pytest.mark.system
STRANGER = "127.0.0.2"
HALF = b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Le"
HALF_BODY = b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Length: 900\r\n\r\nperson="
ASK = b"GET /floor/sign-in HTTP/1.1\r\nHost: shop\r\n\r\n"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A store whose pages run, and nothing else."""
    rig = Rig.make(tmp_path_factory.mktemp("slow") / "store", streams=4)
    rig.start("web")
    wait_for(lambda: listens(rig.config.web.port), "The start of the pages", 60)
    yield rig
    rig.stop()


def line(rig: Rig, first: bytes = b"", source: str = STRANGER) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", rig.config.web.port), 20, source_address=(source, 0))
    made.sendall(first)
    return made


def read(from_: socket.socket) -> tuple[int, str, str]:
    """One answer, and no byte of the next: its status, head and body."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        byte = from_.recv(1)
        assert byte, f"No answer, but {got!r}."
        got += byte
    length = re.search(rb"(?i)content-length: (\d+)", got)
    body = from_.recv(int(length[1]), socket.MSG_WAITALL) if length and int(length[1]) else b""
    return int(got.split()[1]), got.decode(), body.decode()


def test_more_half_requests_than_there_are_threads_keep_nobody_out(rig: Rig) -> None:
    threads = 4 + SPARE_THREADS + worker.PatientWorker.strangers
    with ExitStack() as open_:
        for first in (HALF, HALF_BODY, b""):
            for _ in range(threads):
                open_.enter_context(line(rig, first))
        phone = Phone(rig.config.web.port)
        phone.sign_in(rig.people["Ana"].id, "2411")
        assert phone.get("/floor/")[0] == 200
        phone.close()


def test_whoever_is_answered_and_does_not_hang_up_holds_up_nobody(rig: Rig) -> None:
    # gunicorn's own way waits two seconds for each of them, in the thread that all others need.
    with ExitStack() as open_:
        lines = [
            open_.enter_context(line(rig, ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
            for _ in range(12)
        ]
        assert [read(one)[0] for one in lines] == [200] * 12


def test_a_request_in_single_bytes_is_answered_and_so_is_the_next_on_its_connection(rig: Rig) -> None:
    with line(rig) as slow:
        for byte in ASK:
            slow.sendall(bytes([byte]))
        assert read(slow)[0] == 200
        slow.sendall(ASK + ASK)
        assert [read(slow)[0], read(slow)[0]] == [200, 200]


def test_a_body_that_is_asked_for_first_is_taken(rig: Rig) -> None:
    head, _body = HALF_BODY.split(b"person=")
    with line(rig, head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")) as careful:
        assert careful.recv(100).startswith(b"HTTP/1.1 100 ")
        careful.sendall(b"person=" + b"x" * (900 - len(b"person=")))
        got = b""
        while b" 400 " not in got:
            piece = careful.recv(4096)
            assert piece, got
            got += piece


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 20_000, 431),
        (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(99)) + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999\r\n\r\n", 413),
    ],
)
def test_what_is_too_much_or_no_request_is_refused_in_a_sentence_and_ended(
    rig: Rig, sent: bytes, status: int
) -> None:
    with line(rig, sent) as wrong:
        found, head, body = read(wrong)
        assert found == status and body.strip().endswith((".", ">")) and "Traceback" not in body
        for name, value in headers.ALWAYS.items():
            assert f"{name}: {value}" in head
        assert "Content-Security-Policy: default-src 'none'" in head
        assert wrong.recv(100) == b""


def test_one_stranger_has_a_share_and_whoever_is_known_is_not_in_it(rig: Rig) -> None:
    phone = Phone(rig.config.web.port)
    phone.sign_in(rig.people["Marc"].id, "2412")
    with ExitStack() as open_:
        many = [open_.enter_context(line(rig, ASK)) for _ in range(200)]
        assert phone.get("/floor/")[0] == 200
        answers = [read(one) for one in many]
    phone.close()
    assert {status for status, _, _ in answers} <= {200, 503}
    for status, head, body in answers:
        if status == 503:
            assert body.startswith("Too many requests at once") and "Retry-After" in head


def test_the_desk_signs_in_while_a_stranger_asks_and_does_not_read(rig: Rig) -> None:
    vendored = b"GET /static/vendor/htmx.min.js HTTP/1.1\r\nHost: shop\r\n\r\n"
    with ExitStack() as open_:
        for _ in range(2 * worker.PatientWorker.strangers):
            made = open_.enter_context(socket.socket())
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            made.bind((STRANGER, 0))
            made.connect(("127.0.0.1", rig.config.web.port))
            made.sendall(vendored)
        phone = Phone(rig.config.web.port)
        phone.sign_in_at_desk("Mira", PASSWORD)
        phone.close()


def test_half_requests_do_not_hold_up_a_stop(rig: Rig) -> None:
    again = furnished.served(rig.config)
    rig.processes.pop("web").terminate()
    wait_for(lambda: not listens(rig.config.web.port), "The end of the pages", 30)
    with ExitStack() as open_:
        open_.enter_context(again)
        for first in (HALF, HALF_BODY, b"", ASK):
            open_.enter_context(line(rig, first))
        again.__exit__(None, None, None)  # fails after 15 s
