"""Records of containers: the words and numbers that Beszel's clients know, and ours."""

from typing import Any

import pytest

from beszel_hub.inventory.rows import elapsed, make_row, status_text
from beszel_protocol.timestamps import parse_timestamp
from tests.support.containers import STARTED, make_facts, make_usage

NOW = parse_timestamp(STARTED) + 3 * 3_600_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "1 second"), (0, "1 second"), (59, "59 seconds"), (60, "1 minute"), (3599, "59 minutes"), (3600, "1 hour"),
        (47 * 3600, "1 day"), (13 * 86400, "13 days"), (14 * 86400, "2 weeks"), (60 * 86400, "2 months"),
        (729 * 86400, "24 months"), (730 * 86400, "2 years"),
    ],
)  # fmt: skip
def test_elapsed(seconds: int, text: str) -> None:
    assert elapsed(1000 * seconds) == text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "Up 3 hours"),
        ({"health": "healthy"}, "Up 3 hours (healthy)"),
        ({"health": "unhealthy", "status": "Up (unhealthy)"}, "Up 3 hours (unhealthy)"),
        ({"state": "paused", "status": "Up (Paused)"}, "Up 3 hours (Paused)"),
        ({"state": "paused"}, "Up 3 hours (Paused)"),
        ({"status": None}, "Up 3 hours"),
        ({"started_at": None}, "Up"),
        (
            {"state": "exited", "status": "Exited (137)", "finished_at": "2026-11-22T09:55:00.000Z"},
            "Exited (137) 5 minutes ago",
        ),
        ({"state": "created", "status": None}, "Created"),
        ({"state": "restarting", "status": "Restarting (1)"}, "Restarting (1)"),
    ],
)
def test_the_status_has_the_words_of_the_engine_and_our_clock(facts: dict[str, Any], text: str) -> None:
    assert status_text(make_facts(**facts), NOW) == text


def test_a_row_in_beszels_units() -> None:
    facts = make_facts(ports=["8080→80/tcp", "443→443/tcp"], health="healthy", memory_limit_bytes=1 << 30)
    row = make_row("sys", facts, make_usage(), updated_ms=NOW, now_ms=NOW)
    assert (row["cpu"], row["memory"], row["net"], row["health"], row["updated"]) == (12.5, 64.0, 1500.0, 2, NOW)
    assert (row["ports"], row["memory_limit_bytes"], row["pids"]) == ("8080→80/tcp, 443→443/tcp", 1 << 30, 7)


def test_what_is_not_measured_is_no_zero_but_what_does_not_run_uses_nothing() -> None:
    running = make_row("sys", make_facts(), None, updated_ms=NOW, now_ms=NOW)
    assert (running["cpu"], running["memory"], running["net"]) == (None, None, None)
    exited = make_row("sys", make_facts(state="exited"), None, updated_ms=NOW, now_ms=NOW)
    assert (exited["cpu"], exited["memory"], exited["net"], exited["pids"]) == (0.0, 0.0, 0.0, None)
