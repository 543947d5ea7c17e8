"""Drills from the demo's page: asked for and read over the store's own API, as any other program does it."""

import http.client
import json
import os
from pathlib import Path
from typing import Any

from broker.signing import load_signer
from deploy import provision as making
from deploy.demo import shop
from deploy.errors import DeployError
from edge.clock import utc_now
from edge.config import EdgeConfig
from edge.drills import result
from edge.handling import drilling, granting
from edge.people import store as people
from edge.tokens import store as tokens

TIMEOUT_S = 10.0
SCOPES = ("act:drills", "read:drills")


def let_in(directory: Path, config: EdgeConfig) -> None:
    """The page's token, once; and the visitor agrees to answer drills."""
    file = _token_file(directory)
    if file.exists():
        return
    secret, now = tokens.fresh(), utc_now()
    with making.writing(config) as conn:
        granting.grant(conn, config.store, making.ACTOR, "Demo page", SCOPES, tokens.key_of(secret), now)
        visitor = {one.id for one in people.all_people(conn, config.store) if one.name == shop.VISITOR.name}
        drilling.set_agreed(conn, config.store, making.ACTOR, visitor, now)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
        opened.write(secret)


class Drills:
    """DeployError with the store's sentence where it refuses, or does not answer."""

    def __init__(self, directory: Path, config: EdgeConfig) -> None:
        self._port, self._token = config.web.port, _token_file(directory).read_text()
        self._key = config.identity_path / "vault" / "sign.key"

    def run(self, kiosk: str, kind: str, responder: str) -> dict[str, Any]:
        return self._json("POST", "/drills", {"device": kiosk, "kind": kind, "responder": responder})

    def look(self, id_: str) -> dict[str, Any]:
        """The drill as it stands."""
        return self._json("GET", f"/drills/{id_}")

    def result(self, id_: str) -> bytes:
        """The file of its signed result."""
        return self._ask("GET", f"/drills/{id_}/result")

    def checked(self, id_: str) -> str:
        """What `floorbell drill verify` finds with the store's key: 'ok' where it is as it was signed."""
        return result.check(self.result(id_), load_signer(self._key).key).finding

    def _json(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        return dict(json.loads(self._ask(method, path, body)))

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, f"/api/v1{path}", text, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise DeployError(f"The store does not answer: {error}.") from None
        finally:
            connection.close()
        if answer.status >= 400:
            raise DeployError(str(json.loads(content).get("detail", answer.reason)))
        return content


def _token_file(directory: Path) -> Path:
    return directory / "demo.token"
