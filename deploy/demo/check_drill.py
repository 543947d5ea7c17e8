"""Of the demo's round: somebody outside is told of the security request, and a drill is run and verified."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import UUID

from broker.events import reference_of
from deploy.demo import shop
from deploy.demo.drilling import Drills
from deploy.demo.outside import PATH
from deploy.demo.stage import Stage
from deploy.errors import DeployError

OUTSIDE_S, DRILL_S, SIGNED_S = 20.0, 40.0, 20.0
_PAUSE_S = 0.2
Said = Callable[[str, float], None]


class DrillSteps:
    """Over the demo's page, as its visitor has it."""

    def __init__(self, stage: Stage, say_step: Said) -> None:
        self._address, self._say_step = stage.address, say_step
        self._drills = Drills(stage.directory, stage.config)
        self._has_vault = (stage.config.identity_path / "vault").exists()

    def outside(self, request: str, since_s: float) -> None:
        """The receiver has been told of this request, by a message that it found to be signed."""
        code = reference_of(UUID(request))

        def told() -> bool:
            return any(one["said"]["data"].get("reference") == code for one in self._ask(PATH)["told"])

        _until(told, "The receiver outside was not told of the security request", OUTSIDE_S)
        self._say_step("receiver outside was told, signed", time.monotonic() - since_s)

    def drill(self, kiosk: shop.Kiosk) -> None:
        """Asked for on the page, passed, signed, and as `floorbell drill verify` would find it."""
        started_s = time.monotonic()
        asked = f"/demo/drill?kiosk={kiosk.name}&kind=help&responder=test"
        id_ = self._ask(asked, "POST")["id"]
        _until(lambda: self._look(id_)["state"] in ("passed", "failed"), "The drill did not end", DRILL_S)
        found = self._look(id_)
        if found["state"] != "passed":
            raise DeployError(f"The drill failed: {found['words']}")
        self._say_step(
            f"drill at {kiosk.name} passed, {len(found['hops'])} hops", time.monotonic() - started_s
        )
        if not self._has_vault:
            return
        _until(lambda: self._look(id_)["signed"], "The drill's result was not signed", SIGNED_S)
        if (finding := self._drills.checked(id_)) != "ok":
            raise DeployError(f"The drill's signed result was found to be {finding}.")
        self._say_step("drill's signed result verified: ok", time.monotonic() - started_s)

    def _look(self, id_: str) -> dict[str, Any]:
        return self._ask(f"/demo/drill/{id_}")

    def _ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(
            self._address + path, method=method, headers={"X-Floorbell-Demo": "1"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise DeployError(f"{path} answered {error.code}: {error.read(300).decode()}") from None
        except OSError as error:
            raise DeployError(f"{path}: {error}.") from None


def _until(ready: Callable[[], bool], what: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            raise DeployError(f"{what} within {within_s:.0f} seconds.")
        time.sleep(_PAUSE_S)
