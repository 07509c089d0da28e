"""A life under every layout of cgroups that people run: used, limited, started again, its number given away, gone."""

from pathlib import Path

import pytest

from tests.support.containertree import FULL_ID, ContainerTree, Layout

POD = "pod0a1b2c3d_4e5f"
LAYOUTS = [
    (2, Layout("docker", f"/system.slice/docker-{FULL_ID}.scope")),
    (2, Layout("docker", f"/docker/{FULL_ID}", inside="/init.scope")),
    (1, Layout("docker", f"/docker/{FULL_ID}")),
    (1, Layout("docker", f"/system.slice/docker-{FULL_ID}.scope")),
    (2, Layout("podman", f"/machine.slice/libpod-{FULL_ID}.scope", inside="/container")),
    (2, Layout("podman", f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{FULL_ID}.scope")),
    (2, Layout("podman", f"/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_b.slice/"
                         f"libpod-{FULL_ID}.scope", inside="/container")),
    (1, Layout("podman", f"/libpod_parent/libpod-{FULL_ID}")),
    (2, Layout("containerd", f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/"
                             f"cri-containerd-{FULL_ID}.scope", FULL_ID[:12], is_asked=False)),
    (2, Layout("containerd", f"/kubepods.slice/kubepods-{POD}.slice/cri-containerd-{FULL_ID}.scope",
               FULL_ID[:12], is_asked=False)),
    (2, Layout("cri-o", f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-{POD}.slice/"
                        f"crio-{FULL_ID}.scope", FULL_ID[:12], is_asked=False, inside="/container")),
    (2, Layout("containerd", f"/kubepods/burstable/pod0a1b-2c3d/{FULL_ID}", FULL_ID[:12], is_asked=False)),
    (1, Layout("containerd", f"/kubepods/besteffort/pod0a1b-2c3d/{FULL_ID}", FULL_ID[:12], is_asked=False)),
    (1, Layout("cri-o", f"/kubepods/pod0a1b-2c3d/crio-{FULL_ID}", FULL_ID[:12], is_asked=False)),
    (2, Layout("lxc", "/lxc.payload.web", is_asked=False, inside="/init.scope")),
    (1, Layout("lxc", "/lxc/web", is_asked=False)),
    (2, Layout("lxc", "/lxc/101", "101", is_asked=False, inside="/ns/init.scope")),
    (2, Layout("nspawn", r"/machine.slice/systemd-nspawn@my\x2ddb.service", "my-db", is_asked=False,
               inside="/payload/init.scope")),
    (1, Layout("nspawn", "/machine.slice/machine-db.scope", "db", is_asked=False)),
]  # fmt: skip


@pytest.fixture(params=LAYOUTS, ids=lambda row: f"v{row[0]}{row[1].path.replace(FULL_ID, 'ID')}")
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> ContainerTree:
    version, layout = request.param
    return ContainerTree(tmp_path, version=version, layout=layout)


def test_a_life(tree: ContainerTree) -> None:
    facts = tree.facts()
    assert (facts.engine, facts.name, facts.statistics, facts.memory_limit_bytes) == (
        tree.layout.engine, tree.layout.name, "cgroup", None
    )  # fmt: skip
    tree.read(0)
    tree.set(cpu_ms=400, rx=100, tx=50, written=4096, used_bytes=2000, pids=3)
    used = tree.read(1)
    assert (used.cpu_percent, used.memory_bytes, used.memory_percent) == (10.0, 1800, None)
    assert (used.rx_bytes_per_second, used.tx_bytes_per_second, used.write_bytes_per_second) == (100, 50, 4096)

    tree.limit(8000)
    tree.look()
    assert tree.facts().memory_limit_bytes == 8000
    assert tree.read(2).memory_percent == 22.5

    tree.start(700)
    tree.set(cpu_ms=100, rx=70, tx=30)
    tree.look()
    begun = tree.read(3)
    assert (begun.cpu_percent, begun.rx_bytes_per_second, begun.network_rx) == (None, None, 70)
    tree.set(cpu_ms=500, rx=90, tx=30)
    assert (tree.read(4).cpu_percent, tree.read(4).network_rx) == (10.0, 90)

    tree.end()
    tree.set_process(700, "/user.slice/session-1.scope")
    tree.set_traffic(700, 9999, 9999)
    assert tree.read_all(5) == []
    tree.look()
    assert tree.read_all(6) == []
    assert tree.host.inventory() == []


def test_a_number_that_was_given_to_somebody_else_is_not_its_network(tree: ContainerTree) -> None:
    """Started again while nobody looked; its old number is a process of the host by now."""
    tree.read(0)
    tree.start(700)
    tree.set(cpu_ms=100, rx=70, tx=30)
    tree.set_process(500, "/user.slice/session-1.scope")
    tree.set_traffic(500, 9999, 9999)
    tree.look()
    assert tree.read(1).network_rx == 70
    tree.set(cpu_ms=300, rx=80, tx=30)
    assert tree.read(2).rx_bytes_per_second == 10


def test_of_processes_that_cannot_be_seen_no_network_is_told(tmp_path: Path) -> None:
    """The agent sees the cgroups of the host, and other processes than the engine: that number is one of them."""
    tree = ContainerTree(tmp_path, version=2)
    tree.set_process(500, "/init.scope")
    tree.set_traffic(500, 9999, 9999)
    tree.look()
    tree.read(0)
    tree.set(cpu_ms=400)
    told = tree.read(1)
    assert (told.cpu_percent, told.memory_bytes, told.network_rx) == (10.0, 800, None)
