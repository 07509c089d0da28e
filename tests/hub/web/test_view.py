"""The web view: what the files may do, who gets them, and what the page makes of the feed's frames."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.web import files
from beszel_hub.web.routes import ROUTES
from tests.support.runninghub import RunningHub, running_hub
from tests.support.services import need_program

ROOT = Path(__file__).parents[3]
FLEET = ROOT / "beszel_hub" / "web" / "fleet.js"
SCRIPTS = ("view.js", "fleet.js")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


def run(expression: str) -> Any:
    """What an expression over the exports of `fleet.js` gives, as `fleet`."""
    script = f"import * as fleet from {json.dumps(FLEET.as_uri())}; console.log(JSON.stringify({expression}));"
    argv = [need_program("node"), "--input-type=module", "-e", script]
    return json.loads(subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout)


@pytest.mark.parametrize("path", [str(getattr(route, "path", "")) for route in ROUTES])
def test_every_file_has_the_policy(hub: RunningHub, path: str) -> None:
    answer = httpx2.get(hub.url + path)
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_a_page_that_rebinds_its_name_gets_nothing(hub: RunningHub) -> None:
    for route in ROUTES:
        path = str(getattr(route, "path", ""))
        assert httpx2.get(hub.url + path, headers={"Host": "rebound.example"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/web/../view.html", "/web/%2e%2e/files.py", "/web/files.py", "/web//etc/passwd", "/web"]
)
def test_there_are_no_other_files(hub: RunningHub, path: str) -> None:
    """Names are routes, and no path is made of what somebody asks for."""
    assert httpx2.get(hub.url + path).status_code == 404


def test_the_page_runs_nothing_inline() -> None:
    page = files.read_text("view.html")
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    assert not re.search(r"\son[a-z]+=|javascript:|style=|<style|https?://", page)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_makes_markup_of_texts(name: str) -> None:
    text = files.read_text(name)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|localStorage", text
    )
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_ids_of_the_script_are_in_the_page() -> None:
    page, script = files.read_text("view.html"), files.read_text("view.js")
    wanted = set(re.findall(r'find\("(\w+)"\)', script))
    assert wanted <= set(re.findall(r'id="(\w+)"', page))


def test_its_colours_are_those_of_the_themes() -> None:
    style = files.make_style()
    for theme in (files.DARK_THEME, files.LIGHT_THEME):
        colours = tomllib.loads((ROOT / "themes" / f"{theme}.toml").read_text(encoding="utf-8"))["colors"]
        assert all(f"--{name}: {colour};" in style for name, colour in colours.items())
    used = set(re.findall(r"var\(--(\w+)\)", style))
    assert used <= set(re.findall(r"--(\w+):", style))


def test_rows_come_and_go_and_leave_trails() -> None:
    told = run(
        """(() => {
        const now = fleet.emptyFleet();
        const row = (id, more) => ({ id, name: id, status: "up", ...more });
        fleet.takeFrame(now, { type: "fleet", systems: [row("a", { cpu_percent: 5 }), row("b")] });
        fleet.takeFrame(now, { type: "fleet", systems: [row("a", { status: "down", cpu_percent: 5 })] });
        fleet.takeFrame(now, { type: "fleet", systems: [row("a", { cpu_percent: 7 })], removed: ["b"] });
        fleet.takeFrame(now, { type: "alerts", alerts: [{ id: "x" }, { id: "y" }] });
        fleet.takeFrame(now, { type: "alerts", alerts: [], removed: ["x"] });
        fleet.takeFrame(now, { type: "something new" });
        return [[...now.systems.keys()], [...now.trails], [...now.alerts.keys()]];
        })()"""
    )
    assert told == [["a"], [["a", [5, None, 7]]], ["y"]]


def test_a_gap_is_no_line() -> None:
    assert run("fleet.makeLines([0, 50, null, 100, 120], 5)") == ["0.0,100.0 25.0,50.0", "75.0,0.0 100.0,0.0"]
    assert run("fleet.makeLines([null, 10], 3)") == ["100.0,90.0 100.0,90.0"]
    assert run("fleet.makeLines([])") == []


def test_a_trail_is_bounded() -> None:
    expression = """(() => {
        const now = fleet.emptyFleet();
        for (let n = 0; n < 500; n += 1)
          fleet.takeFrame(now, { type: "fleet", systems: [{ id: "a", name: "a", status: "up", cpu_percent: n }] });
        return [now.trails.get("a").length, now.trails.get("a").at(-1), fleet.POINTS];
        })()"""
    length, last, points = run(expression)
    assert (length, last) == (points, 499)


def test_what_is_not_told_is_no_zero() -> None:
    expression = """[fleet.writePercent(undefined), fleet.writePercent(0), fleet.writeRate(undefined),
        fleet.writeRate(0), fleet.writeRate(1536), fleet.writeRate(5e12), fleet.writeLoad(undefined),
        fleet.writeLoad([1, 2]),
        fleet.levelOf(undefined), fleet.levelOf(95), fleet.levelOf(75), fleet.levelOf(5)]"""
    assert run(expression) == [
        "–", "0.0 %", "–", "0 B/s", "1.5 KB/s", "4656.6 GB/s", "–", "1.00", "", "full", "high", "",
    ]  # fmt: skip


def test_what_needs_somebody_comes_first() -> None:
    systems = [{"name": name, "status": status} for name, status in (("b", "up"), ("a", "up"), ("z", "down"))]
    text = json.dumps(systems)
    assert run(f"fleet.sortSystems({text}).map((one) => one.name)") == ["z", "a", "b"]
    assert run(f"fleet.writeSummary({text})") == "1 down, 2 up"


def test_an_address_opens_a_system_wherever_the_hub_begins() -> None:
    opened = """[["/", "/"], ["/system/a", "/"], ["/x/system/a%20b", "/x/"], ["/system/a", "/x/"], ["/system/%", "/"],
        ["/system/", "/"], ["/system/a/b", "/"]].map((one) => fleet.readOpened(...one))"""
    assert run(opened) == [None, "a", "a b", None, "%", None, None]


def test_a_system_that_tells_little_is_described_without_zeros() -> None:
    described = run("fleet.describeSystem({ id: 'a', name: 'a', status: 'down' })")
    assert {text for _, text, _ in described} == {"–"}
    facts = "{ cpu_percent: 95, uptime_seconds: 93784, services_failed: 0, tags: ['a', 'b'], temperature_celsius: 41 }"
    told = {label: (text, level) for label, text, level in run(f"fleet.describeSystem({facts})")}
    assert told["CPU"] == ("95.0 %", "full")
    assert [told[label][0] for label in ("Up for", "Services failed", "Tags", "Temperature")] == [
        "1 d 2 h", "0", "a, b", "41.0 °C",
    ]  # fmt: skip
    assert run("[59, 3600].map(fleet.writeDuration)") == ["0 min", "1 h 0 min"]
