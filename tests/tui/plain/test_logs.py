"""Printing logs, over a scripted source."""

import io

import pytest

from beszel_protocol.feed import HostContainers
from beszel_tui.errors import HubRefused
from beszel_tui.plain.logs import LogsOrder, print_logs, read_since
from tests.support.containers import make_facts
from tests.support.scriptedsource import NOW_MS, ScriptedSource, make_row

WEB = make_row("web-1")


def source_with(*names: str) -> ScriptedSource:
    source = ScriptedSource()
    source.connect()
    source.tell(WEB)
    facts = [make_facts(f"{number:012x}", name) for number, name in enumerate(names)]
    source.tell_containers(HostContainers(system=WEB.id, facts=facts, usage=[], updated_ms=NOW_MS))
    return source


def test_errors_of_the_container_go_to_standard_error() -> None:
    source = source_with("shop", "cache")
    source.write("fine")
    source.write("broken", stream="stderr")
    source.log_streams.put_nowait(None)
    out, errors = io.StringIO(), io.StringIO()
    assert print_logs(source, LogsOrder("web-1", "shop", tail=7), out, errors) == 0
    assert (out.getvalue(), errors.getvalue()) == ("fine\n", "broken\n")
    ((system_id, query),) = source.log_queries
    assert (system_id, query.id, query.tail, query.follow, query.since) == (WEB.id, "0" * 12, 7, False, None)
    assert source.container_topics == [f"containers:{WEB.id}"]


def test_following_goes_on_after_a_break(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("beszel_tui.plain.logs.RESUME_SECONDS", 0.0)
    source = source_with("shop")
    source.write("one", "two")
    source.log_streams.put_nowait(HubRefused(502, "the agent went away"))
    source.write("two", "three", first=1)
    source.log_streams.put_nowait(HubRefused(404, "There is nothing here."))
    out = io.StringIO()
    order = LogsOrder("web-1", "shop", follow=True, since_ms=NOW_MS - 1000)
    assert print_logs(source, order, out) == 2
    assert out.getvalue() == "one\ntwo\nthree\n"
    assert [query.since for _, query in source.log_queries] == ["2026-11-22T10:24:30.000Z", "2026-11-22T10:24:32.000Z"]
    says = capsys.readouterr().err
    assert "the agent went away; trying again" in says
    assert "There is nothing here." in says


@pytest.mark.parametrize(
    ("name", "says"), [("c", "may be any of 'cache', 'cron'"), ("", "no container"), ("zz", "no container")]
)
def test_which_container_is_meant(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_logs(source_with("cache", "cron", "shop"), LogsOrder("web-1", name)) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [("90s", NOW_MS - 90_000), ("3d", NOW_MS - 3 * 86_400_000), ("999999w", 0), ("2026-11-22T10:24:31Z", NOW_MS)],
)
def test_since(text: str, instant_ms: int) -> None:
    assert read_since(text, NOW_MS) == instant_ms


@pytest.mark.parametrize("text", ["", "yesterday", "-3d", "3 d", "1e9s", "9999-99-99"])
def test_since_nonsense(text: str) -> None:
    with pytest.raises(ValueError, match="an age such as"):
        read_since(text, NOW_MS)
