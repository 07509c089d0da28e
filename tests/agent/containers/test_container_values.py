"""The parts that only take values and give values: names, labels, states, rates, what changed, what does not fit."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.config import Config
from beszel_agent.containers.cgroup_files import (
    find_number,
    parse_cgroup_table,
    parse_cpu_max,
    parse_io_stat,
    parse_memory_limit,
    parse_traffic,
)
from beszel_agent.containers.client import EngineClient, NoSuchContainer
from beszel_agent.containers.devices import count_processors
from beszel_agent.containers.documents import EventDocument, Inspected, Listed, Statistics, read_document, read_rows
from beszel_agent.containers.events import differences, read_event, settle_health
from beszel_agent.containers.facts import digest_of, is_secret, make_container, with_digests
from beszel_agent.containers.guests import Guest, make_id, recognise_machine
from beszel_agent.containers.images import FRESH_SECONDS, ImageDigests
from beszel_agent.containers.model import Container, Counters, Tiding
from beszel_agent.containers.pods import read_annotations
from beszel_agent.containers.roster import MAX_INVENTORY_BYTES, make_inventory, merge_containers
from beszel_agent.containers.sockets import find_engines
from beszel_agent.containers.statistics import read_statistics
from beszel_agent.containers.usage import container_metrics
from beszel_agent.errors import EngineFailed
from beszel_agent.paths import HostPaths
from beszel_agent.settings import EngineHost, parse_engine_host
from beszel_protocol.containers import ContainerFacts

ID = "0123456789abcdef" * 4


def container(name: str = "web", digit: str = "a", pid: int | None = 7, **facts: Any) -> Container:
    full_id = digit * 64
    state = "exited" if pid is None else "running"
    return Container(
        ContainerFacts(id=full_id[:12], name=name, engine=facts.pop("engine", "docker"), state=state, **facts),
        full_id,
        pid,
    )


def by_id(*containers: Container) -> dict[str, Container]:
    return {item.full_id: item for item in containers}


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("/run/docker.sock", "unix:///run/docker.sock"),
        ("tcp://host", "tcp://host:2375"),
        ("http://host:99/", "tcp://host:99"),
        ("https://host", "https://host:2376"),
        ("tcp://[::1]:2375", "tcp://[::1]:2375"),
    ],
)
def test_where_an_engine_listens(text: str, host: str) -> None:
    assert str(parse_engine_host(text)) == host


@pytest.mark.parametrize(
    "text", ["ssh://host", "unix://run/docker.sock", "tcp://", "tcp://host:x", "host", "tcp://h/p"]
)
def test_where_no_engine_listens(text: str) -> None:
    with pytest.raises(ValueError, match=r"URL|write"):
        parse_engine_host(text)


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    """Docker's socket, a link of that name to Podman's, a user's, and a file that is none."""
    with ExitStack() as stack:
        for name in ("run/podman/podman.sock", "run/user/1000/podman/podman.sock"):
            path = tmp_path / name
            path.parent.mkdir(parents=True)
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        (tmp_path / "run/docker.sock").symlink_to("podman/podman.sock")
        (tmp_path / "run/user/1000/docker.sock").write_text("")
        yield tmp_path


def test_engines_are_found_by_themselves_and_each_once(sockets: Path) -> None:
    found = find_engines(HostPaths(root=str(sockets)), Config())
    assert [Path(host.place).relative_to(sockets).as_posix() for host in found] == [
        "run/docker.sock", "run/user/1000/podman/podman.sock"
    ]  # fmt: skip


def test_the_host_s_owner_names_engines(sockets: Path) -> None:
    named = EngineHost("tcp", "host:2375")
    assert find_engines(HostPaths(root=str(sockets)), Config(docker_host=(named,))) == [named]
    assert find_engines(HostPaths(root=str(sockets)), Config(docker_host=())) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (r"systemd-nspawn@my\x2ddb.service", ("nspawn", "my-db")),
        ("machine-old.scope", ("nspawn", "old")),
        (r"machine-qemu\x2d1\x2dvm.scope", None),
        (r"machine-lxc\x2d42\x2dweb.scope", ("lxc", "web")),
        ("libpod-abc.scope", None),
        ("something.slice", None),
    ],
)
def test_guests_of_systemd(name: str, found: tuple[str, str] | None) -> None:
    assert recognise_machine(name) == found


def test_a_guest_whose_name_is_no_text_has_an_id() -> None:
    names = [os.fsdecode(name) for name in (b"w\xfcb", b"w\xffb")]
    ids = {make_id(Guest("lxc", name, f"/lxc/{name}")) for name in names}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("tier", "front", False),
        ("org.opencontainers.image.source", "https://example.org/x", False),
        ("traefik.http.routers.web.rule", "Host(`a`)", False),
        ("traefik.http.middlewares.a.basicauth.users", "u:$apr1$x", True),
        ("some.users", "u:$2y$05$abc", True),
        ("db.password", "x", True),
        ("API_KEY", "x", True),
        ("backup.url", "postgres://u:p@host/db", True),
        ("key", "-----BEGIN PRIVATE KEY-----", True),
    ],
)
def test_labels_that_look_like_a_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret


ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


@pytest.mark.parametrize(
    ("digests", "image", "digest"),
    [
        ([f"nginx@{ONE}", f"mirror.example.org/nginx@{TWO}"], "nginx:1.27", ONE),
        ([f"docker.io/library/nginx@{ONE}"], "nginx", ONE),
        ([f"mirror.example.org/nginx@{TWO}", f"nginx@{ONE}"], "docker.io/library/nginx:1", ONE),
        ([f"localhost:5000/app@{TWO}"], "localhost:5000/app:v1", TWO),
        ([f"other@{TWO}"], "nginx", TWO),
        (["nginx@sha256:1", "nginx"], "nginx", None),
        ([], "nginx", None),
        ([], None, None),
    ],
)
def test_the_digest_of_an_image(digests: list[str], image: str | None, digest: str | None) -> None:
    assert digest_of(digests, image) == digest


def test_what_a_registry_knows_is_told_apart_from_what_only_the_engine_knows() -> None:
    document = msgspec.convert(
        {"Id": "a" * 64, "Name": "/web", "Image": TWO, "Config": {"Image": "nginx:1.27"}}, Inspected
    )
    built = make_container(document, "docker", [])
    assert (built.facts.image_digest, built.facts.repo_digests) == (TWO, [])
    pulled = with_digests(built, [f"nginx@{ONE}"])
    assert (pulled.facts.image_digest, pulled.facts.repo_digests) == (ONE, [ONE])
    assert with_digests(pulled, [f"nginx@{ONE}"]) is pulled


def test_an_image_is_asked_about_once_an_hour() -> None:
    now, asked = [0.0], []

    class Client:
        def repo_digests(self, image_id: str) -> list[str]:
            asked.append(now[0])
            if now[0] > 2 * FRESH_SECONDS:
                raise NoSuchContainer("gone")
            return [f"nginx@{ONE}"]

    images = ImageDigests(lambda: now[0])
    for seconds in (0.0, FRESH_SECONDS - 1, FRESH_SECONDS + 1, 2 * FRESH_SECONDS + 2):
        now[0] = seconds
        assert images.get(cast("EngineClient", Client()), "i") == [f"nginx@{ONE}"]
    assert asked == [0.0, FRESH_SECONDS + 1, 2 * FRESH_SECONDS + 2]


def test_an_engine_that_leaves_everything_out() -> None:
    facts = make_container(read_document({"Id": ID}, Inspected), "docker", []).facts
    assert (facts.id, facts.name, facts.state, facts.health) == (ID[:12], ID[:12], "dead", "none")


def test_what_is_no_document_costs_itself_only() -> None:
    assert [row.id for row in read_rows([{"Id": "a"}, {"Id": 7}, "x", {"Id": "b"}], Listed)] == ["a", "b"]
    with pytest.raises(EngineFailed):
        read_rows({"message": "nope"}, Listed)


def event(action: str, **attributes: str) -> EventDocument:
    raw = {"Type": "container", "Action": action, "Actor": {"ID": ID, "Attributes": {"name": "web", **attributes}}}
    return msgspec.convert(raw, EventDocument)


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    [
        (event("create"), "container_created", ""),
        (event("die", exitCode="137"), "container_died", "exit code 137"),
        (event("died", containerExitCode="3"), "container_died", "exit code 3"),
        (event("die", exitCode="lots"), "container_died", ""),
        (event("rename", oldName="/old"), "container_renamed", "was old"),
        (event("health_status: unhealthy"), "container_unhealthy", ""),
        (event("health_status", health_status="healthy"), "container_healthy", ""),
        (event("remove"), "container_removed", ""),
    ],
)
def test_events(document: EventDocument, kind: str, text: str) -> None:
    found = read_event(document)
    assert found is not None
    assert found.tiding is not None
    assert (found.full_id, found.tiding.kind, found.tiding.name, found.tiding.text) == (ID, kind, "web", text)


def test_events_that_only_change_what_is_known() -> None:
    found = read_event(event("pause"))
    assert found is not None
    assert found.tiding is None


@pytest.mark.parametrize(
    "raw",
    [
        {"Type": "network", "Action": "create", "Actor": {"ID": ID}},
        {"Type": "container", "Action": "create"},
        {"Type": "container", "Action": "create", "Actor": {"ID": "../../../etc"}},
        {},
    ],
)
def test_what_is_no_event_of_a_container(raw: dict[str, Any]) -> None:
    assert read_event(msgspec.convert(raw, EventDocument)) is None


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([], [container()], ["created", "started"]),
        ([], [container(pid=None)], ["created"]),
        ([container()], [], ["removed"]),
        ([container()], [container(pid=None, exit_code=1)], ["died"]),
        ([container(pid=None)], [container()], ["started"]),
        ([container()], [container("www")], ["renamed"]),
        ([container(started_at="a")], [container(started_at="b")], ["restarted"]),
        ([container()], [container(health="unhealthy")], ["unhealthy"]),
        ([container(health="unhealthy")], [container(health="starting")], []),
        ([container()], [container()], []),
    ],
)
def test_what_happened_while_nobody_listened(before: list[Container], after: list[Container], kinds: list[str]) -> None:
    found = differences(by_id(*before), by_id(*after))
    assert [tiding.kind.removeprefix("container_") for tiding in found] == kinds


@pytest.mark.parametrize(
    ("before", "events", "after", "told"),
    [
        ("starting", ["healthy"], "healthy", ["healthy"]),
        ("healthy", ["healthy"], "healthy", []),  # Podman: a check like the one before
        ("healthy", [], "unhealthy", ["unhealthy"]),  # Podman before 4.4: an event that does not say
        ("healthy", [], "healthy", []),
        ("healthy", ["unhealthy", "healthy"], "healthy", ["unhealthy", "healthy"]),
        ("healthy", ["unhealthy"], "healthy", ["unhealthy", "healthy"]),  # the next event will say the same
        ("unhealthy", ["died", "started", "unhealthy"], "unhealthy", ["died", "started", "unhealthy"]),
        ("unhealthy", ["died", "started"], "starting", ["died", "started"]),
        (None, ["created", "started", "healthy"], "healthy", ["created", "started", "healthy"]),
        ("healthy", ["unhealthy", "removed"], None, ["unhealthy", "removed"]),
    ],
)
def test_health_is_told_when_it_becomes_another(
    before: str | None, events: list[str], after: str | None, told: list[str]
) -> None:
    known, fresh = (by_id(*([] if health is None else [container(health=health)])) for health in (before, after))
    full_id = container().full_id
    tidings = [Tiding(f"container_{kind}", full_id, "web") for kind in events]
    found = settle_health(tidings, [full_id], known, fresh)
    assert [tiding.kind.removeprefix("container_") for tiding in found] == told


def test_rates() -> None:
    before = Counters(cpu_ns=0, network_rx=100, read_bytes=10, periods=10, throttled_periods=1)
    now = Counters(cpu_ns=10**9, network_rx=300, read_bytes=5, periods=20, throttled_periods=6, memory_bytes=50)
    found = container_metrics(container(memory_limit_bytes=200), before, now, elapsed_seconds=2.0, processors=4)
    assert found.cpu_percent == 12.5
    assert found.rx_bytes_per_second == 100
    assert found.read_bytes_per_second is None  # went backwards: nobody can tell
    assert (found.memory_percent, found.throttled_percent) == (25.0, 50.0)
    first = container_metrics(container(), None, now, elapsed_seconds=0.0, processors=4)
    assert (first.cpu_percent, first.rx_bytes_per_second, first.network_rx) == (None, None, 300)


def test_what_was_not_read_is_absent() -> None:
    found = container_metrics(container(), Counters(), Counters(), elapsed_seconds=1.0, processors=1)
    assert msgspec.to_builtins(found) == {"id": "a" * 12, "name": "web"}


def test_names_are_unique() -> None:
    sources = [by_id(container(started_at="1")), by_id(container(digit="b", started_at="2", engine="podman"))]
    sources.append(by_id(container(digit="c", started_at="3", engine="podman"), container()))
    names = [item.facts.name for item in merge_containers(sources, ())]
    assert names == ["web", "web (podman)", f"web ({'c' * 12})"]


def test_an_inventory_fits_into_a_frame() -> None:
    labels = {f"label{number}": "x" * 256 for number in range(32)}
    many = [container(f"c{number}", labels=labels, ports=["80→80/tcp"] * 64) for number in range(1000)]
    inventory = make_inventory(many)
    assert len(msgspec.json.encode(inventory)) <= MAX_INVENTORY_BYTES
    assert len(inventory) == 1000


@pytest.mark.parametrize(("text", "count"), [("0-3", 4), ("0,2-3", 3), ("0", 1), ("", 0), ("all", 0), ("3-1", 0)])
def test_processors(text: str, count: int) -> None:
    assert count_processors(text) == count


@given(st.binary(max_size=200))
def test_files_of_cgroups_hold_numbers_or_not(text: bytes) -> None:
    for parse in (lambda data: find_number(data, b"usage_usec"), lambda data: parse_io_stat(data, ()), parse_cpu_max,
                  parse_memory_limit, parse_traffic):  # fmt: skip
        try:
            parse(text)
        except (ValueError, IndexError):
            continue
    parse_cgroup_table(text.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("text", "found"),
    [(b"a 1\nab 2\nb 3\n", 2), (b"ab 5", 5), (b"xab 1\n", None), (b"", None), (b"a 1\nab 7", 7)],
)
def test_a_line_is_found_by_its_whole_name(text: bytes, found: int | None) -> None:
    assert find_number(text, b"ab") == found


def test_statistics_of_an_engine() -> None:
    raw = {
        "read": "2026-11-22T12:00:00.5Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 9}, "throttling_data": {"periods": 2, "throttled_periods": 1}},
        "memory_stats": {"usage": 100, "stats": {"inactive_file": 30}},
        "pids_stats": {"current": 3},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        "blkio_stats": {"io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": 5}, {"major": 8, "minor": 0, "op": "Write", "value": 6},
            {"major": 253, "minor": 0, "op": "write", "value": 6}]},
    }  # fmt: skip
    answer = read_statistics(read_document(raw, Statistics), {b"253:0"})
    assert answer.counters == Counters(
        cpu_ns=9, periods=2, throttled_periods=1, memory_bytes=70, pids=3, read_bytes=5, write_bytes=6,
        network_rx=11, network_tx=22,
    )  # fmt: skip
    assert read_statistics(read_document({}, Statistics), ()).counters == Counters()


def test_names_of_pods() -> None:
    crio = read_annotations({
        "io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.container.name": "api",
        "io.kubernetes.pod.name": "api-1", "io.kubernetes.pod.namespace": "prod",
        "io.kubernetes.cri-o.ImageName": "api:1",
        "io.kubernetes.container.restartCount": "2",
    })  # fmt: skip
    assert (crio.container, crio.pod, crio.namespace, crio.image, crio.restarts, crio.is_sandbox) == (
        "api", "api-1", "prod", "api:1", 2, False
    )  # fmt: skip
