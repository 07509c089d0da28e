"""The line of keys at the foot of every screen, at every width."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.keys import format_key

from beszel_tui.renderables.key_bar import Hint, draw_key_bar
from beszel_tui.screens.base import HubScreen
from beszel_tui.screens.compositor import FrugalCompositor
from tests.support.snapshots import frozen_demo, frozen_zone

WIDTHS: Final = range(40, 201)
_OPEN: Final = (("enter", "Load average"),)
_ALERTS: Final = (("a", "SEV"),)
_SETTINGS: Final = (("comma", "Colours"),)
SCREENS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "fleet": (),
    "fleet in the past": (("left_curly_bracket", "5m ago"),),
    "fleet, filter": (("slash", ""),),
    "fleet, command line": (("colon", ""),),
    "fleet as cards": (("v", ""),),
    "fleet in groups": (("t", ""),),
    "system": _OPEN,
    "system in the past": (*_OPEN, ("left_curly_bracket", "5m ago")),
    "a chart": (*_OPEN, ("f", "")),
    "processes": (*_OPEN, ("7", "PROCESS")),
    "services": (*_OPEN, ("8", "nfs-server")),
    "a service": (*_OPEN, ("8", "nfs-server"), ("enter", "last result")),
    "disks' health": (*_OPEN, ("9", "WEAR")),
    "containers": (("c", "IMAGE"),),
    "logs": (("c", "buildkit"), ("enter", "following")),
    "logs, search": (("c", "buildkit"), ("enter", "following"), ("slash", "")),
    "inspection": (("c", "buildkit"), ("i", "{")),
    "add": (("A", "Name"),),
    "alerts": _ALERTS,
    **{f"alerts, pane {pane}": (*_ALERTS, (str(pane), "")) for pane in range(2, 6)},
    "settings": _SETTINGS,
    **{f"settings, section {section}": (*_SETTINGS, (str(section), "")) for section in range(2, 9)},
}
"""Keys from the fleet, each with what is on the screen after it."""


@pytest.fixture(autouse=True)
def _one_zone() -> Iterator[None]:
    with frozen_zone():
        yield


@pytest.mark.parametrize("name", SCREENS)
def test_every_label_has_a_key_no_key_comes_twice_and_no_word_is_cut(name: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with frozen_demo(tmp_path) as viewer:
            for key, seen in SCREENS[name]:
                await viewer.press(key)
                await viewer.until_text(seen)
            screen = viewer.app.screen
            assert isinstance(screen, HubScreen)
            hints = screen.hints()
            _check_hints(hints)
            for width in WIDTHS:
                _check_line(hints, _text(draw_key_bar(hints, width, viewer.app.look.palette)[0]), width)

    asyncio.run(main())


def test_keys_that_people_chose_themselves_are_told_as_well(tmp_path: Path) -> None:
    config = tmp_path / ".config" / "beszel-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[keys]\n"fleet.containers" = "ctrl+k"\n"fleet.sort" = " "\n"fleet.filter" = "f12"\n')

    async def main() -> None:
        async with frozen_demo(tmp_path) as viewer:
            hints = viewer.fleet.hints()
            _check_hints(hints)
            told = {hint.description: hint.caption for hint in hints}
            assert told["containers"] == "^k"
            assert told["filter"] == format_key("f12")

    asyncio.run(main())


def test_the_first_picture_of_a_new_size_is_of_that_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Widgets hear of their size after the layout has been painted; what they drew for the last one is not it."""
    frames: list[tuple[int, list[str]]] = []
    render = FrugalCompositor.render_full_update

    def keep(compositor: FrugalCompositor, simplify: bool = False) -> LayoutUpdate:
        update = render(compositor, simplify)
        lines = [_text([segment for strip in line for segment in strip]) for line in update.strips]
        frames.append((update.region.width, lines))
        return update

    monkeypatch.setattr(FrugalCompositor, "render_full_update", keep)

    async def main() -> None:
        async with frozen_demo(tmp_path, size=(100, 30)) as viewer:
            for key, seen in (("", "help"), ("enter", "Network"), ("c", "inspect")):
                if key:
                    await viewer.press(key)
                await viewer.until_text(seen)
                for width in (40, 100, 60, 160, 41, 100):
                    frames.clear()
                    await viewer.pilot.resize_terminal(width, 30)
                    await viewer.settle()
                    of_width = [lines for told, lines in frames if told == width]
                    assert of_width
                    for lines in of_width:
                        assert {len(line) for line in lines} == {width}
                        assert lines[-1] in {viewer.lines()[-1], " " * width}  # or nothing yet

    asyncio.run(main())


def _check_hints(hints: list[Hint]) -> None:
    for hint in hints:
        assert hint.key.strip(), hint
        assert hint.caption.strip(), hint
        assert hint.description.strip(), hint
    for values in zip(*hints, strict=True):
        assert len(set(values)) == len(values), values


def _check_line(hints: list[Hint], line: str, width: int) -> None:
    assert len(line) == width
    parts = re.split(" {2,}", line.strip())
    whole = [f"{hint.caption} {hint.description}" for hint in hints]
    assert parts == [part for part in whole if part in parts]


def _text(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)
