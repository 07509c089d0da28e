"""Containers of the demonstration are ones that an agent could tell of."""

from beszel_protocol.containers import clean_containers
from beszel_protocol.hygiene import clean
from beszel_tui.state.demo import demo_container, demo_container_trails, demo_host_containers, demo_metrics, demo_rows
from beszel_tui.state.demo_containers import demo_log
from tests.support.scriptedsource import NOW_MS

HOSTS = [told for row in demo_rows(NOW_MS) if (told := demo_host_containers(row.id, NOW_MS)) is not None]


def test_they_pass_what_a_hub_checks() -> None:
    assert len(HOSTS) > 10
    for host in HOSTS:
        facts = host.facts or []
        assert clean_containers(facts) == facts
        running = {item.id for item in facts if item.state == "running"}
        assert {used.id for used in host.usage or ()} == running
        for used in host.usage or ():
            assert clean(used) == used
        assert demo_metrics(host.system, NOW_MS).containers == host.usage


def test_every_moment_has_one_log() -> None:
    host = HOSTS[0]
    facts = demo_container(host.system, (host.facts or [])[0].id)
    assert facts is not None
    whole = list(demo_log(host.system, facts, NOW_MS - 60_000, NOW_MS))
    parts = [
        *demo_log(host.system, facts, NOW_MS - 60_000, NOW_MS - 30_001),
        *demo_log(host.system, facts, NOW_MS - 30_000, NOW_MS),
    ]
    assert whole == parts
    assert whole
    assert all("\x1b" not in line.text for line in whole)


def test_trails_are_of_those_that_run() -> None:
    host = HOSTS[0]
    name = (host.usage or [])[0].name
    trails = demo_container_trails(host.system, [name, "nobody"], NOW_MS)
    assert set(trails) == {name}
    assert demo_container(host.system, "ffffffffffff") is None
