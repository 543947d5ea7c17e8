"""Somebody outside the store: a receiver of signed webhooks in the demo's own web program."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

PATH = "/demo/outside"
KEPT = 12
MAX_BYTES = 64 * 1024
_FILE = "guards.toml"
CHANNEL = f"""
[[outside.channel]]
name = "guards"
kind = "webhook"
file = "{_FILE}"
opened = ["all"]
missed = true
drills = true
allow_private = true
"""


def prepare(directory: Path, port: int) -> None:
    """The channel's file, with a key of its own for each start."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    file = directory / _FILE
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
        opened.write(f'url = "http://127.0.0.1:{port}{PATH}"\nsecret = "{secret}"\n')


class Receiver:
    """What came, the newest first. It checks the signature as webhook.md says."""

    def __init__(self, directory: Path) -> None:
        secret = (directory / _FILE).read_text().partition("whsec_")[2].rstrip('"\n')
        self._key = base64.b64decode(secret)
        self._lock = threading.Lock()
        self._told: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._known: deque[str] = deque(maxlen=200)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer: 401 for whatever the store did not sign."""
        id_, at = headers.get("Webhook-Id", ""), headers.get("Webhook-Timestamp", "")
        mac = hmac.new(self._key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(mac).decode()
        if not hmac.compare_digest(wanted.encode(), headers.get("Webhook-Signature", "").encode()):
            return 401
        said = json.loads(body)
        with self._lock:
            if id_ not in self._known:
                self._known.append(id_)
                self._told.appendleft({"words": words(said), "at": said["timestamp"], "said": said})
        return 200

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._told)


def words(said: Mapping[str, Any]) -> str:
    """What a guard on the telephone would read."""
    what = {
        "security.raised": "Security is called",
        "incident.opened": "An incident was opened",
        "incident.closed": "An incident was closed",
        "help.missed": "Nobody answered a shopper",
    }.get(said["type"], str(said["type"]))
    data = said["data"]
    place = f", {data['zone_title']}" if data.get("zone_title") else ""
    at = f"{datetime.fromisoformat(data['happened_at']).astimezone():%H:%M:%S}"
    more = (", silent" if data.get("silent") else "") + (". A drill" if data.get("drill") else "")
    return f"{what}{place}, {at}{more}."
