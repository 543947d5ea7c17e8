"""After a restart of the pages every phone comes back, and who signs in then waits behind none of them."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from edge.serving.worker import PatientWorker
from tests.rig.phone import Phone
from tests.rig.store import Rig, listens, wait_for

pytestmark = pytest.mark.system
PHONES = 2 * PatientWorker.strangers


def test_more_phones_than_strangers_have_turns_all_hear_the_store_again(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path / "store", streams=PHONES + 1)
    with ExitStack() as ends:
        ends.callback(rig.stop)
        start(rig)
        phones = [ends.enter_context(closing(signed_in(rig))) for _ in range(PHONES)]
        rig.kill("web")
        # Its worker lives on until it misses its parent.
        wait_for(lambda: not listens(rig.config.web.port), "The end of the pages", 60)
        start(rig)
        streams = [phone.listen(lambda told: None) for phone in phones]
        for stream in streams:
            ends.callback(stream.close)
        wait_for(lambda: all(s.ready.is_set() for s in streams), "The streams of all phones")
        assert {stream.status for stream in streams} == {200}
        late = ends.enter_context(closing(signed_in(rig)))
        assert late.get("/floor/")[0] == 200


def start(rig: Rig) -> None:
    rig.start("web")
    wait_for(lambda: listens(rig.config.web.port), "The start of the pages", 60)


def signed_in(rig: Rig) -> Phone:
    """One of Ana's, and as good as anybody else's."""
    phone = Phone(rig.config.web.port)
    phone.sign_in(rig.people["Ana"].id, "2411")
    return phone
