"""UPSes through `upsc`: a stand-in script says what was recorded of the real one."""

from pathlib import Path

import pytest

from beszel_agent.collectors import ups
from beszel_agent.collectors.ups import UpsCollector, parse_variables, read_variables
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import UpsMetrics

RECORDED = """\
battery.charge: 100
battery.charge.low: 10
battery.runtime: 2790
battery.type: PbAc
device.mfr: EATON
device.model: Ellipse PRO 1200
driver.name: usbhid-ups
input.voltage: 233.0
ups.load: 14
ups.realpower: 103
ups.realpower.nominal: 750
ups.status: OL CHRG
"""
SCRIPT = """\
#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  -l) cat "$(dirname "$0")/list" || { echo "Error: Connection failure: Connection refused" >&2; exit 1; } ;;
  "-- hangs") exec sleep 30 ;;
  *) cat "$(dirname "$0")/$2.ups" || { echo "Init SSL without certificate database" >&2; \
echo "Error: Data stale" >&2; exit 1; } ;;
esac
"""


class Server:
    """A directory with a stand-in for `upsc` and what it answers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        command = directory / "upsc"
        command.write_text(SCRIPT)
        command.chmod(0o755)

    def offer(self, **upses: str) -> None:
        (self._directory / "list").write_text("".join(f"{name}\n" for name in upses))
        for name, text in upses.items():
            (self._directory / f"{name}.ups").write_text(text)

    def lose(self, name: str) -> None:
        (self._directory / f"{name}.ups").unlink()

    @property
    def calls(self) -> list[str]:
        return (self._directory / "calls").read_text().splitlines()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Server(tmp_path)


def probe(**settings: tuple[str, ...]) -> UpsCollector:
    return UpsCollector.probe(HostPaths(), Config(**settings))  # type: ignore[arg-type]


def test_everything_a_ups_tells(server: Server) -> None:
    server.offer(eaton=RECORDED)
    assert probe().collect(0.0).ups == {
        "eaton": UpsMetrics(
            charge_percent=100.0,
            load_percent=14.0,
            runtime_seconds=2790.0,
            power_watts=103.0,
            on_battery=0,
            status="OL CHRG",
        )
    }


def test_the_list_is_not_asked_for_every_time(server: Server) -> None:
    server.offer(a=RECORDED, b=RECORDED)
    collector = probe()
    assert set(collector.collect(0.0).ups or {}) == {"a", "b"}
    collector.collect(15.0)
    assert server.calls == ["-l", "-- a", "-- b", "-- a", "-- b"]


def test_one_with_stale_data_costs_only_itself(server: Server) -> None:
    server.offer(a=RECORDED, b=RECORDED)
    server.lose("a")
    assert set(probe().collect(0.0).ups or {}) == {"b"}


def test_without_a_server_it_fails_and_asks_more_and_more_rarely(server: Server) -> None:
    collector = probe()
    for now in range(0, 1200, 15):
        with pytest.raises(ReadingFailed, match="upsc -l: Error: Connection failure: Connection refused"):
            collector.collect(float(now))
    assert len(server.calls) == 8  # at 0, 15, 45, 105, 225, 465, 765, 1065
    server.offer(a=RECORDED)
    assert set(collector.collect(1380.0).ups or {}) == {"a"}


def test_a_server_that_hangs_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ups, "_ANSWER_SECONDS", 0.2)
    with pytest.raises(ReadingFailed, match=r"upsc hangs: no answer within 0\.2 s"):
        probe(ups=("hangs",)).collect(0.0)


def test_the_setting_names_those_of_other_hosts(server: Server) -> None:
    server.offer(**{"rack@nas": RECORDED, "-l": RECORDED})
    assert set(probe(ups=("rack@nas", "-l")).collect(0.0).ups or {}) == {"rack@nas", "-l"}
    assert server.calls == ["-- rack@nas", "-- -l"], "a name is never an option"


def test_set_but_empty_is_none(server: Server) -> None:
    with pytest.raises(Unavailable, match="UPS is set and empty"):
        probe(ups=())


def test_without_the_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="nut-client"):
        probe()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", UpsMetrics()),
        ("ups.status: OB DISCHRG LB", UpsMetrics(on_battery=1, status="OB DISCHRG LB")),
        ("ups.status: FSD", UpsMetrics(status="FSD")),
        ("ups.load: 130\nups.realpower.nominal: 400", UpsMetrics(load_percent=100.0, power_watts=520.0)),
        ("battery.charge: -1\nbattery.runtime: unknown\nups.load", UpsMetrics()),
        ("battery.charge: nan\nups.load: inf", UpsMetrics()),
        ("ups.status: OL\x1b[2J", UpsMetrics(status="OL[2J")),
    ],
)
def test_variables(text: str, expected: UpsMetrics) -> None:
    assert read_variables(parse_variables(text)) == expected
