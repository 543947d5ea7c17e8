"""The template for a shop's impact assessment says for how long what is kept: as the code does."""

import re
from datetime import timedelta
from pathlib import Path

from edge.backup.settings import Backup
from edge.config import Web
from edge.evidence import exports
from edge.handling import feedback
from edge.interactions import taps
from edge.outside import store as outside
from edge.pushing import queue
from edge.retention import Retention
from kiosk import outbox
from kiosk.config import Camera

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| .+ \| `([\w.]+)` \| (.+) \|$", re.MULTILINE)


def days(length: timedelta) -> str:
    return f"{length / timedelta(days=1):g} days"


def test_every_figure_is_the_codes() -> None:
    kept, backup, camera = Retention(), Backup(), Camera
    defaults = dict(
        zip(reversed(camera.__struct_fields__), reversed(camera.__struct_defaults__), strict=False)
    )
    said = dict(ROW.findall((ROOT / "deploy" / "dpia.md").read_text()))
    assert said == {
        "camera.pre_s": f"{defaults['pre_s']} s",
        "camera.post_s": f"{defaults['post_s']} s",
        "retention.routine_hours": f"{kept.routine_hours} h",
        "retention.security_hours": f"{kept.security_hours} h",
        "retention.incident_hours": f"{kept.incident_hours} h",
        "retention.asker_hours": f"{kept.asker_hours} h",
        "edge.evidence.exports.KEPT_FOR": days(exports.KEPT_FOR),
        "kiosk.outbox.KEPT_S": days(timedelta(seconds=outbox.KEPT_S)),
        "edge.pushing.queue.KEPT": days(queue.KEPT),
        "edge.outside.store.KEPT": days(outside.KEPT),
        "edge.interactions.taps.KEPT": days(taps.KEPT),
        "web.shift_hours": f"{Web().shift_hours} h",
        "edge.handling.feedback.OPEN_FOR": days(feedback.OPEN_FOR),
        "backup.keep_days": f"{backup.keep_days} days",
        "backup.keep_months": f"{backup.keep_months} months",
        "backup.clip_days": f"{backup.clip_days} day",
    }


def test_each_retention_that_can_be_set_stands_there() -> None:
    text = (ROOT / "deploy" / "dpia.md").read_text()
    for name in Retention.__struct_fields__:
        # Those two are not about how long anything is kept.
        assert name in ("remind_days", "free_gb") or f"`retention.{name}`" in text
