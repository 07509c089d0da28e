"""What forms and the tables that no other picture shows look like at each size; see `tests/support/snapshots.py`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.snapshots import frozen_zone
from tests.support.walks import Walk, looks_the_same

_ALERTS: Final = ("a", "nas             ")
_RULES: Final = (("a", "SEV"), ("3", "disk nearly full"))
SHOTS: Final = (
    Walk("settings-hub", (("comma", "Colours"), ("6", ""))),
    Walk("system-checks", ((":open bastion", "Load average"), (":tab checks", "LATENCY"))),
    Walk("alerts-snooze", (_ALERTS, ("j", ""), ("z", "Snooze"))),
    Walk("alerts-new-quiet-hours", (_ALERTS, ("4", "weekends"), ("n", "New quiet hours"))),
    Walk("alerts-trial", (*_RULES, ("t", "on the past"))),
    Walk("alerts-trial-refused", (*_RULES, ("t", "on the past"), ("ctrl+s", "has no past"))),
    Walk("alerts-sets", (*_RULES, ("N", ""))),
    Walk("fleet-watch", (("W", "New rule"),)),
)


@pytest.fixture(autouse=True)
def _one_zone() -> Iterator[None]:
    with frozen_zone():
        yield


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_form_looks_as_it_did(shot: Walk, tmp_path: Path) -> None:
    asyncio.run(looks_the_same(shot, tmp_path))
