"""Facts and tables of one service or disk, whatever a host says."""

from datetime import UTC

import pytest

from beszel_protocol.services import ServiceDetail
from beszel_protocol.units import Style as UnitStyle
from beszel_tui.renderables.detail import attribute_lines, fact_lines
from beszel_tui.state.components import DiskAttribute, DiskRecord, Fact, Wording, disk_facts, service_facts
from beszel_tui.state.looks import Clock
from tests.support.looks import make_look

HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e\u2028" + "名前" * 900
WORDING = Wording(UnitStyle(), Clock(UTC), 1_800_000_000_000)


def test_a_table_has_the_columns_that_are_told() -> None:
    look = make_look()
    full = [
        DiskAttribute(id=5, name="Reallocated", value=9, worst=8, threshold=10, raw="48"),
        DiskAttribute(id=199, name="CRC", value=200, number=1.0),
    ]
    assert [line.lead[0] + line.text for line in attribute_lines(full, look)] == [
        "  ID  ATTRIBUTE     NOW WORST LIMIT  AS COUNTED",
        "   5  Reallocated     9     8    10  ⚠ 48",
        " 199  CRC           200     –     –  1",
    ]
    plain = [DiskAttribute(name="Media errors", number=0.0)]
    assert [line.text for line in attribute_lines(plain, look)] == ["ATTRIBUTE     AS COUNTED", "Media errors  0"]
    assert attribute_lines([], look) == []


@pytest.mark.parametrize("symbols", ["braille", "ascii"])
def test_nothing_that_a_terminal_obeys(symbols: str) -> None:
    look = make_look(symbols)
    table = [DiskAttribute(name=HOSTILE, raw=HOSTILE, failed=HOSTILE, value=-(2**62), id=2**62, number=1e308)]
    service = ServiceDetail(state=HOSTILE, description=HOSTILE, result=HOSTILE, active_since=HOSTILE, tasks=-(2**62))
    disk = DiskRecord(state=HOSTILE, model=HOSTILE, updated="9999-12-31T23:59:59Z", capacity=-1e308, hours=1e308)
    facts = [*service_facts(service, WORDING), *disk_facts(disk, WORDING), Fact("x", HOSTILE, "critical")]
    for line in (*attribute_lines(table, look), *fact_lines(facts, look)):
        assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(line.text)
        assert "".join(text for text, _ in line.pieces) == line.text
        assert len(line.text) < 4096


def test_nothing_is_told_of_what_is_not_known() -> None:
    assert service_facts(ServiceDetail(), WORDING) == []
    assert disk_facts(DiskRecord(updated="yesterday", hours=3.0), WORDING) == [Fact("powered on", "3 hours")]
