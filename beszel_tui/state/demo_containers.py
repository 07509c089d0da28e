"""Containers of the demonstration's hosts, and what they write: everything follows from host and time alone."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from beszel_protocol.colours import strip_colours
from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, ContainerFacts, LogLine
from beszel_protocol.sample import ContainerMetrics
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from beszel_tui.state.waves import hash_share, hash_text, noise, wave

_MIB: Final = 1 << 20
_HOUR_MS: Final = 3_600_000
_BORN_MS: Final = parse_timestamp("2026-11-01T06:12:00Z")
_LOG_STEP_MS: Final = 700


class Kind(NamedTuple):
    """What a container usually uses."""

    name: str
    image: str
    cpu: float
    memory_mib: float
    traffic: float
    """Usual bytes a second received."""
    port: str = ""
    health: str = "none"
    limit_mib: int | None = None
    disk: float = 0.0
    exit_code: int | None = None
    """It has ended with this."""
    restarts: int = 0


_SHOP: Final = "registry.example.net/shop"
_BY_TAG: Final[dict[str, tuple[Kind, ...]]] = {
    "web": (
        Kind("caddy", "caddy:2.10-alpine", 2.1, 46, 1.4e6, "443→443/tcp", "healthy"),
        Kind("shop-api", f"{_SHOP}/api:4.18.2", 14.0, 512, 6.1e5, "8080→80/tcp", "healthy", 768),
        Kind("shop-worker", f"{_SHOP}/worker:4.18.2", 9.0, 430, 8e4, "", "healthy", 512, 2.1e5),
        Kind("migrate", f"{_SHOP}/api:4.18.2", 0, 0, 0, exit_code=0),
    ),
    "db": (
        Kind("postgres", "postgres:17.2", 31.0, 6200, 3.1e6, "5432→5432/tcp", "healthy", 8192, 4.2e6),
        Kind("pgbouncer", "edoburu/pgbouncer:1.24", 1.6, 18, 2.8e6, "6432→6432/tcp"),
    ),
    "ci": (
        Kind("runner", "gitea/act_runner:0.2", 38.0, 1900, 2.4e6, disk=8.4e6),
        Kind("buildkit", "moby/buildkit:v0.18", 6.0, 720, 4.4e5, "", "healthy", 1024, 3.3e6),
    ),
}
_BY_HOST: Final[dict[str, tuple[Kind, ...]]] = {
    "cache-1": (Kind("valkey", "valkey/valkey:8.1", 5.1, 9200, 2.2e6, "6379→6379/tcp", "healthy", 12288, 9e3),),
    "queue-1": (Kind("rabbitmq", "rabbitmq:4.0-management", 7.4, 610, 8e5, "5672→5672/tcp", "starting", None, 2e5),),
    "search-1": (
        Kind("opensearch", "opensearchproject/opensearch:2.18", 44.0, 31000, 2e6, "9200→9200/tcp", "healthy"),
    ),
    "search-2": (
        Kind("opensearch", "opensearchproject/opensearch:2.18", 40.0, 30400, 2e6, "9200→9200/tcp", "healthy"),
    ),
    "git": (
        Kind("forgejo", "codeberg.org/forgejo/forgejo:9", 4.2, 380, 2.4e5, "3000→3000/tcp", "healthy", 1024, 8e4),
        Kind("renovate", "renovate/renovate:39", 0, 0, 0, exit_code=1, restarts=2),
    ),
    "registry": (Kind("registry", "registry:2", 1.1, 64, 5.2e5, "127.0.0.1:5000→5000/tcp", "none", None, 9e5),),
    "proxy": (Kind("traefik", "traefik:v3.2", 6.3, 142, 9.1e6, "443→443/tcp", "healthy", 256),),
    "media": (
        Kind("jellyfin", "jellyfin/jellyfin:10.10", 18.0, 1290, 2.6e6, "8096→8096/tcp", "healthy", None, 1.8e6),
        Kind("transcode", "linuxserver/ffmpeg:7", 0, 0, 0, exit_code=137, restarts=6),
    ),
    "monitor-pi": (
        Kind("home-assistant", "homeassistant/home-assistant:2026.11", 6.4, 410, 3e4, "8123→8123/tcp", "healthy"),
        Kind("mosquitto", "eclipse-mosquitto:2.0", 0.2, 9, 2e3, "1883→1883/tcp"),
        Kind("zigbee2mqtt", "koenkk/zigbee2mqtt:1.42", 1.4, 96, 6e3, "", "unhealthy", 128, restarts=3),
    ),
    "gpu-box": (
        Kind("notebook", "quay.io/jupyter/scipy-notebook:2026-11-03", 22.0, 5400, 9e4, "8888→8888/tcp", "healthy"),
    ),
}


class DemoContainers(NamedTuple):
    facts: list[ContainerFacts]
    usage: list[ContainerMetrics]


def demo_containers(host: str, tags: tuple[str, ...], at_ms: int) -> DemoContainers | None:
    """None for a host that runs none."""
    kinds = _kinds(host, tags)
    if not kinds:
        return None
    facts = _facts(host, tags)
    usage = [_usage(host, kind, told, at_ms) for kind, told in zip(kinds, facts, strict=True) if kind.exit_code is None]
    return DemoContainers(list(facts), usage)


def demo_log(host: str, facts: ContainerFacts, start_ms: int, end_ms: int) -> Iterator[LogLine]:
    """What a container wrote between two instants."""
    write = _WRITERS.get(facts.name, _write_requests)
    first = -(-start_ms // _LOG_STEP_MS)
    for number in range(first, end_ms // _LOG_STEP_MS + 1):
        seed = f"{host}{facts.id}{number}"
        if hash_share(seed) < 0.35:
            continue
        instant = format_timestamp(number * _LOG_STEP_MS + int(hash_share(seed + "ms") * 600))
        text = write(seed)
        plain = strip_colours(text, MAX_LOG_LINE_LENGTH)
        yield LogLine(stream=_stream(seed), timestamp=instant, text=plain, ansi=text)


def demo_inspection(facts: ContainerFacts) -> dict[str, object]:
    return {
        "Id": facts.id + hash_text(facts.id)[:52],
        "Name": f"/{facts.name}",
        "State": {"Status": facts.state, "ExitCode": facts.exit_code or 0, "StartedAt": facts.started_at},
        "Image": facts.image_digest,
        "RestartCount": facts.restarts or 0,
        "HostConfig": {"Memory": facts.memory_limit_bytes or 0, "RestartPolicy": {"Name": "unless-stopped"}},
        "NetworkSettings": {"Ports": facts.ports, "Networks": {"default": {"IPAddress": "172.18.0.4"}}},
        "Mounts": [{"Type": "volume", "Destination": "/data", "RW": True}],
    }


def _kinds(host: str, tags: tuple[str, ...]) -> tuple[Kind, ...]:
    return _BY_HOST.get(host) or next((_BY_TAG[tag] for tag in tags if tag in _BY_TAG), ())


@lru_cache(maxsize=256)
def _facts(host: str, tags: tuple[str, ...]) -> tuple[ContainerFacts, ...]:
    return tuple(_fact(host, tags[-1], kind) for kind in _kinds(host, tags))


def _fact(host: str, project: str, kind: Kind) -> ContainerFacts:
    seed = f"{host}/{kind.name}"
    started_ms = _BORN_MS + int(hash_share(seed) * 18 * 24 * _HOUR_MS)
    ended = kind.exit_code is not None
    return ContainerFacts(
        id=hash_text(seed)[:12],
        name=kind.name,
        engine="docker",
        state="exited" if ended else "running",
        status=f"Exited ({kind.exit_code})" if ended else "Up",
        image=kind.image,
        image_digest=f"sha256:{hash_text(kind.image)}",
        health=kind.health,
        restarts=kind.restarts,
        exit_code=kind.exit_code,
        started_at=format_timestamp(started_ms),
        finished_at=format_timestamp(started_ms + _HOUR_MS) if ended else None,
        ports=[kind.port] if kind.port else [],
        project=project,
        service=kind.name,
        memory_limit_bytes=None if kind.limit_mib is None else kind.limit_mib * _MIB,
        statistics="cgroup",
    )


def _usage(host: str, kind: Kind, facts: ContainerFacts, at_ms: int) -> ContainerMetrics:
    seed = host + kind.name
    busy = 0.35 + 1.3 * wave(seed, at_ms, 45)
    memory = kind.memory_mib * _MIB * (1 + 0.06 * noise(seed + "m", at_ms, 500))
    limit = facts.memory_limit_bytes
    return ContainerMetrics(
        id=facts.id,
        name=kind.name,
        cpu_percent=min(100.0, kind.cpu * busy),
        memory_bytes=int(memory),
        memory_percent=None if limit is None else min(100.0, memory / limit * 100),
        pids=3 + int(kind.cpu * 1.4),
        rx_bytes_per_second=kind.traffic * (0.3 + 1.4 * wave(seed + "rx", at_ms, 30)),
        tx_bytes_per_second=kind.traffic * 0.6 * (0.3 + 1.4 * wave(seed + "tx", at_ms, 35)),
        read_bytes_per_second=kind.disk * 0.2 * wave(seed + "r", at_ms, 25),
        write_bytes_per_second=kind.disk * wave(seed + "w", at_ms, 20),
        health=None if facts.health == "none" else facts.health,
    )


def _stream(seed: str) -> str:
    return "stderr" if hash_share(seed + "stream") > 0.86 else "stdout"


def _write_requests(seed: str) -> str:
    share, number = hash_share(seed + "what"), int(hash_share(seed + "n") * 9000)
    if _stream(seed) == "stderr":
        return f"\x1b[33mWARN\x1b[0m  slow request: GET /products/{number} took {200 + number // 12} ms"
    if share < 0.12:
        return f"\x1b[36mDEBUG\x1b[0m cache refreshed, {number} entries"
    status = "\x1b[32m200\x1b[0m" if share < 0.9 else "\x1b[31m502\x1b[0m"
    return f"\x1b[1mINFO\x1b[0m  GET /products/{number} {status} {number % 47 + 2} ms 203.0.113.{number % 250}"


def _write_database(seed: str) -> str:
    share, number = hash_share(seed + "what"), int(hash_share(seed + "n") * 9000)
    if _stream(seed) == "stderr":
        return f"LOG:  duration: {300 + number / 7:.3f} ms  statement: EXECUTE orders_of({number})"
    if share < 0.2:
        return f"LOG:  checkpoint complete: wrote {number} buffers ({number / 900:.1f}%)"
    return f"LOG:  connection authorized: user=shop database=shop pid={number + 400}"


def _write_build(seed: str) -> str:
    share, number = hash_share(seed + "what"), int(hash_share(seed + "n") * 9000)
    if _stream(seed) == "stderr":
        return f"\x1b[33mwarning\x1b[0m: step {number % 14 + 1} was not cached: its context has changed"
    if share < 0.3:
        return f"\x1b[32m✓\x1b[0m test suite {number % 40 + 1} passed in {number / 300:.1f} s"
    return (
        f"#{number % 30 + 4} [{number % 8 + 1}/9] RUN make -j8 part-{number % 60} \x1b[2m({number / 100:.1f} s)\x1b[0m"
    )


_WRITERS: Final = {
    "postgres": _write_database,
    "pgbouncer": _write_database,
    "runner": _write_build,
    "buildkit": _write_build,
    "renovate": _write_build,
}
