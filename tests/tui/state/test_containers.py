"""Containers as rows: joined, sorted, filtered, aged."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from beszel_protocol.feed import Containers, Fleet, HostContainers
from beszel_tui.errors import FilterError
from beszel_tui.state.columns import GAP, fold
from beszel_tui.state.containers import (
    BY_KEY,
    CLAIMS,
    CLAIMS_OF_ONE_SYSTEM,
    COLUMNS,
    VOCABULARY,
    container_items,
    container_line,
    count_containers,
    key_of,
    short_port,
    visible_items,
)
from beszel_tui.state.events import Connected, ContainersChosen, ContainerTrailsLoaded, Disconnected, Received
from beszel_tui.state.filterline import parse_filter
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.selectors import Sort
from beszel_tui.state.series import trail_from
from tests.support.containers import make_facts, make_usage
from tests.support.scriptedsource import NOW_MS, make_row

WEB, DB = make_row("web-1"), make_row("db-1")
SHOP = make_facts("aaaaaaaaaaaa", "shop-10", health="healthy", project="shop", ports=["8080→80/tcp"])
CACHE = make_facts("bbbbbbbbbbbb", "shop-9", image="valkey:8", labels={"tier": "back"})
BROKEN = make_facts("cccccccccccc", "migrate", state="exited", exit_code=3)
POSTGRES = make_facts("aaaaaaaaaaaa", "postgres", image="postgres:17", health="unhealthy", pod="p-0", namespace="db")


def frame(*hosts: HostContainers, removed: list[str] | None = None, at_ms: int = NOW_MS) -> Received:
    told = Containers(sequence=1, hub_ms=at_ms, hosts=list(hosts), removed=removed or [])
    return Received(at_ms=at_ms, frame=told)


def host(system_id: str, *facts: Any, at_ms: int = NOW_MS) -> HostContainers:
    usage = [
        make_usage(item.id, item.name, cpu_percent=float(index + 1)) for index, item in enumerate(facts)
        if item.state == "running"
    ]  # fmt: skip
    return HostContainers(system=system_id, facts=list(facts), usage=usage, updated_ms=at_ms)


def live(*hosts: HostContainers) -> State:
    fleet = Received(at_ms=NOW_MS, frame=Fleet(sequence=1, hub_ms=NOW_MS, systems=[WEB, DB]))
    return reduce(State(), [Connected(at_ms=NOW_MS), fleet, frame(*hosts)])


ALL = live(host(WEB.id, SHOP, CACHE, BROKEN), host(DB.id, POSTGRES))


def names(line: str = "", sort: Sort | None = None, system_id: str | None = None) -> list[str]:
    items = container_items(ALL, system_id)
    return [item.facts.name for item in visible_items(items, parse_filter(line, VOCABULARY), sort or Sort())]


def test_two_systems_may_have_the_same_id() -> None:
    items = container_items(ALL)
    assert len({item.key for item in items}) == 4
    assert {item.system for item in items} == {"web-1", "db-1"}
    assert names(system_id=DB.id) == ["postgres"]
    assert names(system_id="nobody") == []


def test_usage_is_joined_by_id() -> None:
    by_name = {item.facts.name: item for item in container_items(ALL)}
    assert by_name["shop-9"].usage.cpu_percent == 2.0
    assert by_name["migrate"].usage.cpu_percent is None
    assert by_name["shop-10"].uptime_ms is not None
    assert by_name["migrate"].uptime_ms is None


def test_uptimes_change_by_the_minute() -> None:
    (item,) = container_items(ALL, DB.id)
    assert item.uptime_ms is not None
    assert item.uptime_ms % 60_000 == 0


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort("name"), ["migrate", "postgres", "shop-9", "shop-10"]),
        (Sort("cpu", descending=True), ["shop-9", "postgres", "shop-10", "migrate"]),
        (Sort("cpu"), ["postgres", "shop-10", "shop-9", "migrate"]),
        (Sort("system"), ["postgres", "migrate", "shop-9", "shop-10"]),
        (Sort("health", descending=True), ["postgres", "shop-10", "migrate", "shop-9"]),
    ],
)
def test_sorted(sort: Sort, expected: list[str]) -> None:
    assert names(sort=sort) == expected


@pytest.mark.parametrize("key", BY_KEY)
def test_every_column_sorts(key: str) -> None:
    assert len(names(sort=Sort(key))) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("shop", {"shop-9", "shop-10"}),
        ("running !healthy", {"shop-9", "postgres"}),
        ("exited", {"migrate"}),
        ("unhealthy", {"postgres"}),
        ("system:web image:valkey", {"shop-9"}),
        ("cpu>1.5", {"shop-9"}),
        ("mem>=64M", {"shop-9", "shop-10", "postgres"}),
        ("exit>0", {"migrate"}),
        ("project:shop", {"shop-10"}),
        ("project:db/p", {"postgres"}),
        ("port:8080", {"shop-10"}),
        ("label:tier=back", {"shop-9"}),
        ("is:run uptime>1m", {"shop-9", "shop-10", "postgres"}),
        ("/^post|^mig/", {"postgres", "migrate"}),
        ("id:cccc", {"migrate"}),
        ("engine:docker", {"shop-9", "shop-10", "postgres", "migrate"}),
    ],
)
def test_filtered(line: str, expected: set[str]) -> None:
    assert set(names(line)) == expected


def test_a_number_of_systems_is_none_of_containers() -> None:
    with pytest.raises(FilterError, match="load"):
        parse_filter("load>1", VOCABULARY)


def test_counted() -> None:
    assert count_containers(container_items(ALL)) == (4, 3, 2)


def test_numbers_age_with_the_hub_and_with_the_system() -> None:
    assert not any(item.aged for item in container_items(ALL))
    lost = reduce(ALL, [Disconnected(at_ms=NOW_MS, reason="gone", retry_at_ms=NOW_MS)])
    assert all(item.aged for item in container_items(lost))
    down = msgspec.structs.replace(WEB, status="down")
    fallen = reduce(ALL, [Received(at_ms=NOW_MS, frame=Fleet(sequence=2, hub_ms=NOW_MS, systems=[down]))])
    assert {item.system for item in container_items(fallen) if item.aged} == {"web-1"}
    later = live(host(WEB.id, SHOP, at_ms=NOW_MS - 60_000))
    assert container_items(later)[0].aged


def test_a_frame_says_only_what_changed() -> None:
    used = HostContainers(system=WEB.id, usage=[make_usage("aaaaaaaaaaaa", "shop-10", cpu_percent=50.0)])
    after = reduce(ALL, [frame(used)])
    by_name = {item.facts.name: item for item in container_items(after, WEB.id)}
    assert by_name["shop-10"].usage.cpu_percent == 50.0
    assert len(by_name) == 3
    assert container_items(after, DB.id) == container_items(ALL, DB.id)


def test_newer_images_are_told_with_the_facts_and_stand_until_then() -> None:
    told = msgspec.structs.replace(host(WEB.id, SHOP, CACHE), image_updates={SHOP.id: True, CACHE.id: False})
    used = HostContainers(system=WEB.id, usage=[make_usage(SHOP.id, SHOP.name)])
    state = reduce(live(told, host(DB.id, POSTGRES)), [frame(used)])
    known = {item.facts.name: item.image_update for item in container_items(state)}
    assert known == {"shop-10": True, "shop-9": False, "postgres": None}
    behind = visible_items(container_items(state), parse_filter("outdated", VOCABULARY), Sort())
    assert [item.facts.name for item in behind] == ["shop-10"]
    pulled = reduce(state, [frame(msgspec.structs.replace(told, image_updates={}))])
    assert {item.image_update for item in container_items(pulled)} == {None}


def test_what_is_gone_is_gone_with_its_trail() -> None:
    gone = reduce(ALL, [frame(host(WEB.id, SHOP), removed=[DB.id])])
    assert [item.facts.name for item in container_items(gone)] == ["shop-10"]
    assert set(gone.container_trails) == {key_of(WEB.id, "aaaaaaaaaaaa")}


def test_the_first_frame_of_another_look_has_all_there_is() -> None:
    chosen = reduce(ALL, [ContainersChosen()])
    assert not chosen.containers_loaded
    assert container_items(chosen) == container_items(ALL)
    told = reduce(chosen, [frame(host(DB.id, POSTGRES))])
    assert [item.facts.name for item in container_items(told)] == ["postgres"]
    assert told.containers_loaded


def test_a_line_has_the_trail_of_its_container() -> None:
    key = key_of(DB.id, "aaaaaaaaaaaa")
    bucket = NOW_MS // 5000
    state = reduce(ALL, [ContainerTrailsLoaded(trails={key: trail_from(bucket, [10.0, 20.0])})])
    (item,) = container_items(state, DB.id)
    assert container_line(state, item).readings(2) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("port", "short"),
    [
        ("8080→8080/tcp", "8080"),
        ("8080→80/tcp", "8080→80"),
        ("53→53/udp", "53→53/udp"),
        ("127.0.0.1:5→5/tcp", "127.0.0.1:5"),
        ("x", "x"),
    ],
)
def test_ports_without_what_is_usual(port: str, short: str) -> None:
    assert short_port(port) == short


@pytest.mark.parametrize("width", range(10, 250, 7))
@pytest.mark.parametrize("claims", [CLAIMS, CLAIMS_OF_ONE_SYSTEM])
def test_columns_fit(width: int, claims: tuple[tuple[str, int], ...]) -> None:
    placed = fold(width, COLUMNS, claims)
    assert placed[0].column.key == "name"
    assert placed[-1].x + placed[-1].width <= width
    assert all(after.x == before.x + before.width + GAP for before, after in pairwise(placed))


def test_every_column_has_its_claim() -> None:
    assert {key for key, _ in CLAIMS} == set(BY_KEY)
    assert len(fold(200, COLUMNS, CLAIMS)) == len(COLUMNS)
