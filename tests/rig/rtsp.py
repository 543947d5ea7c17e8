"""A network camera: RTSP (RFC 2326) over TCP with H.264 in RTP (RFC 6184), and a sound track that nobody may
ask for."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator

from kiosk.camera.mp4 import units
from tests.rig import film

_SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
a=control:video
m=audio 0 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=control:sound
""".replace("\n", "\r\n")
_MOST = 1200


class NetworkCamera:
    """See the module. `asked` is every track that was set up, `sent` every unit of the pictures;
    `silent` stops those, `hang_up` its connections, `width` changes its format."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent: set[bytes] = set()
        self.silent = threading.Event()
        self.width = 64
        self._stop = threading.Event()
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="network-camera", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def hang_up(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        waiting = b""
        with contextlib.suppress(OSError), connection:
            while came := connection.recv(4096):
                waiting += came
                while b"\r\n\r\n" in waiting:
                    request, waiting = waiting.split(b"\r\n\r\n", 1)
                    self._answer(connection, request.decode(errors="replace"))

    def _answer(self, connection: socket.socket, request: str) -> None:
        method, address = request.split(" ")[:2]
        sequence = re.search(r"CSeq: *(\d+)", request)
        lines, body = [f"CSeq: {sequence[1] if sequence else 0}", "Session: 1"], ""
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = _SDP
            lines += ["Content-Type: application/sdp", f"Content-Base: {self.url}/"]
        elif method == "SETUP":
            self.asked.append(address.rsplit("/", 1)[1])
            lines.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(["RTSP/1.0 200 OK", *lines])
        connection.sendall(f"{head}\r\n\r\n{body}".encode())
        if method == "PLAY":
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection: socket.socket) -> None:
        sequence, number = 0, 0
        with contextlib.suppress(OSError):
            while not self._stop.wait(1 / film.RATE):
                reel = film.film(width=self.width)
                if self.silent.is_set():
                    continue
                packet = reel[number % len(reel)]
                nals = [bytes(unit) for unit in units(packet.data)]
                self.sent |= set(nals)
                for rtp, last in _payloads(nals):
                    stamp = number * 90_000 // film.RATE
                    header = struct.pack(">BBHII", 0x80, 96 | last << 7, sequence & 0xFFFF, stamp, 7)
                    sequence += 1
                    data = header + rtp
                    connection.sendall(struct.pack(">cBH", b"$", 0, len(data)) + data)
                number += 1


def _payloads(nals: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """RTP payloads, and whether it is the picture's last: whole units, or fragments of a long one."""
    for index, nal in enumerate(nals):
        final = index == len(nals) - 1
        if len(nal) <= _MOST:
            yield nal, final
            continue
        body = nal[1:]
        for at in range(0, len(body), _MOST):
            ends = at + _MOST >= len(body)
            head = bytes([nal[0] & 0xE0 | 28, (at == 0) << 7 | ends << 6 | nal[0] & 31])
            yield head + body[at : at + _MOST], final and ends
