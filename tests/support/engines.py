"""Real container engines for tests: a dockerd and a Podman service of their own, and an image made of busybox.

Nothing is pulled and nothing of the machine's own engines is touched. The bridge has no rules of a firewall: containers
reach each other and this host, and nothing else.
"""

import contextlib
import fcntl
import io
import itertools
import json
import os
import shutil
import socket as socketlib
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest
from docker.models.containers import Container
from docker.types import Ulimit

from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.config import Config
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.model import Tiding
from beszel_agent.paths import HostPaths
from beszel_agent.settings import EngineHost
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics
from tests.support.programs import running, wait_until
from tests.support.services import need_program

IMAGE = "beszel-test:latest"
_BRIDGE_PREFIX = "bsz"
"""Then the process whose it is, and which of its bridges."""
_bridge_numbers = itertools.count()
_NETWORK = "own"
_CNI_PLUGINS = Path("/usr/lib/cni")
BUSY = ["sh", "-c", "while :; do :; done"]
IDLE = ["sleep", "600"]
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""An engine outlives nobody who was killed: the kernel ends it, and it its containers."""
_LIMITS = [Ulimit(name=name, soft=1024, hard=1024) for name in ("nofile", "nproc")]

T = TypeVar("T")


class Engine:
    """One that runs, with a client of its own."""

    def __init__(self, socket: Path, pid: int, *, network: str, address: str = "") -> None:
        self.socket, self.pid, self.network, self.address = socket, pid, network, address
        """`address` is this host's in the network of the containers, empty where they share the host's own."""
        self.client = docker.DockerClient(base_url=f"unix://{socket}", version="1.41", timeout=30)
        self.client.api.headers["Connection"] = "close"

    @property
    def host(self) -> EngineHost:
        return EngineHost("unix", str(self.socket))

    def run(self, name: str, command: list[str], **options: Any) -> Container:
        """A container that runs already."""
        return self._make(self.client.containers.run, name, command, detach=True, **options)

    def create(self, name: str, command: list[str], **options: Any) -> Container:
        return self._make(self.client.containers.create, name, command, **options)

    def clear(self) -> None:
        """Remove all containers."""

        def remove(row: dict[str, Any]) -> None:
            with contextlib.suppress(docker.errors.APIError):
                self.client.api.remove_container(row["Id"], force=True, v=True)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(remove, self.client.api.containers(all=True)))

    def _make(self, make: Callable[..., Any], name: str, command: list[str], **options: Any) -> Container:
        settings = {"network_mode": self.network, "ulimits": _LIMITS, **options}
        return make(IMAGE, command, name=name, **settings)


class Watched:
    """A collector on one engine, read when asked, with everything that it told."""

    def __init__(self, config: Config, paths: HostPaths | None = None, host: ContainerHost | None = None) -> None:
        self.host = host or ContainerHost(paths or HostPaths(), config)
        self.collector = ContainersCollector(paths or HostPaths(), self.host)
        self.tidings: list[Tiding] = []
        self.collector.collect(time.monotonic())

    def read(self) -> dict[str, ContainerMetrics]:
        """One reading, by name."""
        containers = self.collector.collect(time.monotonic()).containers or []
        return {item.name: item for item in containers}

    def facts(self) -> dict[str, ContainerFacts]:
        return {item.name: item for item in self.host.inventory() or []}

    def told(self) -> list[tuple[str, str]]:
        """Kind and name of everything so far."""
        self.tidings += self.host.take_tidings()
        return [(tiding.kind.removeprefix("container_"), tiding.name) for tiding in self.tidings]

    def until_told(self, kind: str, name: str, timeout_seconds: float = 20) -> Tiding:
        wait_until(f"{kind} {name} among {self.told()}", lambda: (kind, name) in self.told(), timeout_seconds)
        return next(item for item in self.tidings if (item.kind, item.name) == (f"container_{kind}", name))

    def until_known(self, *names: str) -> dict[str, ContainerFacts]:
        """Wait until exactly these containers are known."""
        return wait_until(
            f"{names}, not {list(self.facts())}",
            lambda: facts if set(facts := self.facts()) == set(names) and not self.host.problems() else None,
        )

    def until_read(self, *names: str) -> dict[str, ContainerMetrics]:
        """Wait until a reading holds these containers, with rates."""

        def probe() -> dict[str, ContainerMetrics] | None:
            found = self.read()
            return found if all(name in found and found[name].cpu_percent is not None for name in names) else None

        return wait_until(f"numbers of {names}", probe)

    def stop(self) -> None:
        self.collector.stop()
        assert self.host.join(10), "a thread goes on"


@contextmanager
def watching(engine: Engine, **settings: Any) -> Iterator[Watched]:
    paths = settings.pop("paths", None)
    watched = Watched(Config(docker_host=(engine.host,), **settings), paths)
    try:
        yield watched
    finally:
        watched.stop()


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """With a bridge of its own, so that containers have a network."""
    _need_root()
    dockerd, ip = need_program("dockerd"), need_program("ip")
    with tempfile.TemporaryDirectory(prefix="beszel-docker-", ignore_cleanup_errors=True) as folder:
        root, socket = Path(folder), Path(folder, "docker.sock")
        bridge = _bridge_name()
        argv = [
            *_ENDS_WITH_US, dockerd, "--host", f"unix://{socket}", "--data-root", f"{root}/data",
            "--exec-root", f"{root}/exec", "--pidfile", f"{root}/pid", "--iptables=false", "--bridge", bridge,
        ]  # fmt: skip
        with _bridge(ip, bridge) as address, running(argv, _environment(root), root / "log") as process:
            engine = _opened(socket, process.pid, root / "log", network="bridge", address=address)
            try:
                yield engine
            finally:
                engine.clear()
                engine.client.close()
                process.terminate(20)


@contextmanager
def podman_engine(*, with_network: bool = False) -> Iterator[Engine]:
    """In the network of this host, or with a bridge of its own; then its checks of health are made when it is told to.

    Otherwise they are left to systemd's timers, which are not everywhere.
    """
    _need_root()
    podman, runtime = need_program("podman"), need_program("runc")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="beszel-podman-", ignore_cleanup_errors=True))
        root, socket = Path(folder), Path(folder, "podman.sock")
        environment, network, address = _environment(root), "host", ""
        if with_network:
            bridge = _bridge_name()
            address = stack.enter_context(_bridge(need_program("ip"), bridge))
            environment |= {"CONTAINERS_CONF": str(_write_network(root, bridge, address)), "DISABLE_HC_SYSTEMD": "true"}
            network = _NETWORK
        argv = [
            *_ENDS_WITH_US, podman, "--root", f"{root}/data", "--runroot", f"{root}/run", "--runtime", runtime,
            "--cgroup-manager=cgroupfs", "system", "service", "-t", "0", f"unix://{socket}",
        ]  # fmt: skip
        with running(argv, environment, root / "log") as process:
            engine = _opened(socket, process.pid, root / "log", network=network, address=address)
            try:
                yield engine
            finally:
                engine.clear()
                engine.client.close()
                process.terminate(20)


def busybox_archive() -> bytes:
    """A root filesystem as a tar: a shell and what comes with it."""
    program = need_program("busybox")
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "tmp", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
        archive.add(program, "bin/busybox")
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(entry)
    return buffer.getvalue()


def open_files() -> int:
    """Of this process."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def _opened(socket: Path, pid: int, log: Path, *, network: str, address: str = "") -> Engine:
    wait_until(f"an engine; {log.read_text(errors='replace')[-2000:]}", lambda: _answers(socket), 60)
    engine = Engine(socket, pid, network=network, address=address)
    engine.client.api.import_image_from_data(busybox_archive(), repository=IMAGE.partition(":")[0], tag="latest")
    return engine


def _answers(socket: Path) -> bool:
    try:
        with socketlib.socket(socketlib.AF_UNIX) as probe:
            probe.connect(str(socket))
    except OSError:
        return False
    return True


def _write_network(root: Path, bridge: str, address: str) -> Path:
    """Podman's configuration, with a network on a bridge that is there already and no rules of a firewall."""
    if not (_CNI_PLUGINS / "bridge").exists():
        pytest.skip(f"no network plugins in {_CNI_PLUGINS}")
    subnet = f"{address.rpartition('.')[0]}.0/24"
    ranges = [[{"subnet": subnet, "rangeStart": f"{address}0", "gateway": address}]]
    ipam = {"type": "host-local", "dataDir": str(root / "leases"), "ranges": ranges}
    plugin = {"type": "bridge", "bridge": bridge, "ipam": ipam}
    networks = root / "networks"
    networks.mkdir()
    (networks / f"{_NETWORK}.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": _NETWORK, "plugins": [plugin]})
    )
    configuration = root / "containers.conf"
    configuration.write_text(
        f'[network]\nnetwork_backend = "cni"\nnetwork_config_dir = "{networks}"\ncni_plugin_dirs = ["{_CNI_PLUGINS}"]\n'
    )
    return configuration


def _bridge_name() -> str:
    return f"{_BRIDGE_PREFIX}{os.getpid()}-{next(_bridge_numbers)}"


@contextmanager
def _bridge(ip: str, name: str) -> Iterator[str]:
    """A bridge in a network of its own; this host's address in it.

    It has a hardware address of its own: it would take one of its ports', and change it under those that know it. A run
    that was killed leaves its bridge behind, and a second one with the same network would take the answers.
    """
    try:
        with _alone():
            address = _make_bridge(ip, name)
        yield address
    finally:
        subprocess.run([ip, "link", "delete", name], check=False)


def _make_bridge(ip: str, name: str) -> str:
    taken = _bridges(ip)
    for stale in [bridge for bridge in taken if not Path("/proc", _owner_of(bridge)).exists()]:
        subprocess.run([ip, "link", "delete", stale], check=False)
        taken.pop(stale)
    number = next(free for free in range(200, 256) if f"172.31.{free}.1" not in taken.values())
    address, hardware = f"172.31.{number}.1", f"02:42:ac:1f:{number:02x}:01"
    subprocess.run([ip, "link", "add", name, "address", hardware, "type", "bridge"], check=True)
    subprocess.run([ip, "address", "add", f"{address}/24", "dev", name], check=True)
    subprocess.run([ip, "link", "set", name, "up"], check=True)
    return address


@contextmanager
def _alone() -> Iterator[None]:
    """Among the test runs of this machine: two at once would find the same network free."""
    with Path(tempfile.gettempdir(), "beszel-test-bridges.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _owner_of(bridge: str) -> str:
    """Its process number."""
    return bridge.removeprefix(_BRIDGE_PREFIX).partition("-")[0]


def _bridges(ip: str) -> dict[str, str]:
    """Address of each bridge of a test run, by name; empty for one that has none yet."""
    listed = subprocess.run([ip, "-json", "-4", "address", "show"], capture_output=True, text=True, check=True).stdout
    return {
        link["ifname"]: next((address["local"] for address in link["addr_info"]), "")
        for link in json.loads(listed)
        if link.get("ifname", "").startswith(_BRIDGE_PREFIX)
    }


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}


def _need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("engines are started as root")
