"""What each screen looks like at each size, and what each theme makes of one; see `tests/support/snapshots.py`.

A new screen is a line of `SHOTS`, and a run that writes its pictures.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from beszel_tui.theming import load_themes
from tests.support.snapshots import frozen_demo, frozen_zone, matches
from tests.support.walks import Walk as Shot
from tests.support.walks import looks_the_same

_OPEN: Final = (("enter", "Load average"),)
_GPU: Final = ((":open gpu-box", "Load average"), (":tab gpu", "RTX"))
_CHANNELS: Final = (("a", "SEV"), ("5", "dashboard"))
SHOTS: Final = (
    Shot("fleet", ()),
    Shot("fleet-filter", (("slash", ""), ("d", ""), ("b", ""))),
    Shot("system-overview", _OPEN),
    Shot("system-cpu", (*_OPEN, ("2", "CPU by kind"))),
    Shot("system-full-chart", (*_OPEN, ("f", ""))),
    Shot("system-cursor", (*_OPEN, ("left", ""))),
    Shot("system-memory", (*_OPEN, ("3", ""))),
    Shot("system-disks", (*_OPEN, ("4", ""))),
    Shot("system-network", (*_OPEN, ("5", ""))),
    Shot("system-sensors", (*_OPEN, ("6", "coretemp"))),
    Shot("system-gpu", _GPU),
    Shot("system-containers", ((":open web-1", "Load average"), (":tab containers", "caddy"))),
    Shot("system-alerts", ((":open db-1", "Load average"), (":tab alerts", "busy"))),
    Shot("system-processes", (*_OPEN, ("7", "PROCESS"))),
    Shot("system-process-tree", (*_OPEN, ("7", "PROCESS"), ("t", "─"))),
    Shot("system-services", (*_OPEN, ("8", "nfs-server"))),
    Shot("system-health", (*_OPEN, ("9", "WEAR"))),
    Shot("service-detail", (*_OPEN, ("8", "nfs-server"), ("enter", "last result"))),
    Shot("disk-detail", (*_OPEN, ("9", "WEAR"), ("j", ""), ("enter", "ATTRIBUTE"))),
    Shot("fleet-past", (("left_curly_bracket", "5m ago"),)),
    Shot("system-past", (*_OPEN, ("left_curly_bracket", "5m ago"))),
    Shot("fleet-cards", (("v", ""),)),
    Shot("fleet-groups", (("t", ""),)),
    Shot("fleet-tags", (("space", ""), ("j", ""), ("space", ""), ("e", "Tags"))),
    Shot("fleet-delete", (("D", "Delete"),)),
    Shot("command-line", (("colon", "esc cancel"), ("'so", "sort"))),
    Shot("palette", (("ctrl+p", "Search"), ("'web", "open the system"))),
    Shot("containers-of-one", ((":containers web-1", "IMAGE"),)),
    Shot("containers", (("c", "IMAGE"),)),
    Shot("logs", (("c", "buildkit"), ("enter", "following"))),
    Shot("inspection", (("c", "buildkit"), ("i", "{"))),
    Shot("logs-search", (("c", "buildkit"), ("enter", "following"), ("slash", ""), ("'make", ""), ("enter", "'make'"))),
    Shot("add", (("A", "Name"),)),
    Shot("add-waiting", (("A", "Name"), ("'web-9", ""), ("enter", "waiting for the agent"))),
    Shot("help", (("question_mark", "This table"),)),
    Shot("themes", (("T", "Midnight"),)),
    Shot("alerts", (("a", "SEV"),)),
    Shot("alerts-history", (("a", "SEV"), ("2", "LASTED"))),
    Shot("alerts-rules", (("a", "SEV"), ("3", "disk nearly full"))),
    Shot("alerts-quiet-hours", (("a", "SEV"), ("4", "weekends"))),
    Shot("alerts-channels", (("a", "SEV"), ("5", "KIND"))),
    Shot("alerts-new-rule", (("a", "SEV"), ("3", "disk nearly full"), ("n", "over 10m"))),
    Shot("alerts-conditions", (("a", "SEV"), ("3", "out of memory"), ("G", ""), ("e", "all of these"))),
    Shot("alerts-channel", (*_CHANNELS, ("G", ""), ("e", "it would say"), *[("down", "")] * 12)),
    Shot("settings", (("comma", "Colours"),)),
    Shot("settings-account", (("comma", "Colours"), ("2", "Second proof"))),
    Shot("settings-sessions", (("comma", "Colours"), ("3", ""))),
    Shot("settings-tokens", (("comma", "Colours"), ("4", "terraform"))),
    Shot("settings-users", (("comma", "Colours"), ("5", "grace"))),
    Shot("settings-backups", (("comma", "Colours"), ("7", "before-upgrade"))),
    Shot("settings-store", (("comma", "Colours"), ("8", "Database"))),
    Shot("settings-keys", (("comma", "Colours"), ("0", ""))),
)


@pytest.fixture(autouse=True)
def _one_zone() -> Iterator[None]:
    with frozen_zone():
        yield


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_screen_looks_as_it_did(shot: Shot, tmp_path: Path) -> None:
    asyncio.run(looks_the_same(shot, tmp_path))


def test_every_theme_colours_the_fleet_as_it_did(tmp_path: Path) -> None:
    async def main() -> None:
        async with frozen_demo(tmp_path, size=(80, 16)) as viewer:
            for name in sorted(load_themes().by_name):
                viewer.app.theme = name
                await matches(viewer, f"theme-{name}", with_looks=True)

    asyncio.run(main())
