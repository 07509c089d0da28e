"""The facts of a container from what its engine answers; pure."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from beszel_agent.containers.documents import Inspected, NetworkSettings, State, instant_or_none
from beszel_agent.containers.model import SHORT_ID, Container
from beszel_protocol.containers import MAX_PORTS, ContainerFacts, Labels, clean_labels
from beszel_protocol.hygiene import clean_text
from beszel_protocol.images import digests_of, is_digest
from beszel_protocol.timestamps import format_timestamp, parse_timestamp

_STATES: Final = {
    "created": "created", "configured": "created", "initialized": "created", "running": "running",
    "stopping": "running", "paused": "paused", "restarting": "restarting", "exited": "exited", "stopped": "exited",
    "removing": "dead", "dead": "dead",
}  # fmt: skip
"""Of Docker and of Podman."""
_HEALTHS: Final = frozenset({"starting", "healthy", "unhealthy"})
_COMPOSE: Final = ("com.docker.compose.", "io.podman.compose.")
_SECRET_NAME: Final = re.compile(
    r"pass(wd|word|phrase)?\b|passw|secret|token|api[-_.]?key|private[-_.]?key|credential|auth|basicauth|\bpwd\b",
    re.ASCII,
)
_SECRET_VALUE: Final = re.compile(r"://[^/\s:@]*:[^/\s@]+@|\$2[aby]\$|\$apr1\$|\{SHA\}|-----BEGIN", re.ASCII)
"""A password in a URL, the hashes of htpasswd, a key."""
_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - only read
_NO_LIMIT: Final = 1 << 62


def make_container(document: Inspected, engine: str, repo_digests: Sequence[str]) -> Container:
    """Without its cgroup; `repo_digests` are those of its image, as `repository@sha256:…`."""
    state = document.state
    config, host = document.config, document.host_config
    labels = (config.labels if config is not None else None) or {}
    is_running = _state(state) in {"running", "paused"}
    image = _text(config.image if config is not None else None)
    facts = ContainerFacts(
        id=document.id[:SHORT_ID],
        name=name_of(document),
        engine=engine,
        state=_state(state),
        image=image,
        image_digest=digest_of(repo_digests, image) or document.image or None,
        repo_digests=digests_of(repo_digests, image or ""),
        status=status_words(_state(state), _health(state), state.exit_code),
        health=_health(state),
        restarts=document.restart_count,
        exit_code=None if is_running or _state(state) == "created" else state.exit_code,
        started_at=_instant(state.started_at),
        finished_at=None if is_running else _instant(state.finished_at),
        ports=_ports(document.network_settings),
        project=_compose(labels, "project"),
        service=_compose(labels, "service"),
        pod=_text(labels.get("io.kubernetes.pod.name")),
        namespace=_text(labels.get("io.kubernetes.pod.namespace")),
        labels=telling_labels(labels),
        memory_limit_bytes=host.memory if host is not None and host.memory and host.memory < _NO_LIMIT else None,
        cpu_limit_cores=_cores(document),
    )
    return Container(
        facts,
        document.id,
        pid=(state.pid or None) if is_running else None,
        has_network=host is None or host.network_mode != "host",
        has_terminal=bool(config is not None and config.tty),
        was_oom_killed=bool(state.oom_killed),
        image_id=document.image or None,
    )


def with_digests(container: Container, repo_digests: Sequence[str]) -> Container:
    """The same with what is known of its image by now; the very same if that is nothing new."""
    facts, image = container.facts, container.facts.image or ""
    digests = digests_of(repo_digests, image)
    if digests == facts.repo_digests:
        return container
    digest = digest_of(repo_digests, image) or container.image_id
    return container._replace(facts=replace(facts, image_digest=digest, repo_digests=digests))


def name_of(document: Inspected) -> str:
    """Engines write it with a slash in front."""
    return clean_text((document.name or "").lstrip("/")) or document.id[:SHORT_ID]


def status_words(state: str, health: str, exit_code: int | None) -> str:
    """As `docker ps` has it, without its clock."""
    if state == "running":
        return "Up" if health == "none" else f"Up ({health})"
    if state == "paused":
        return "Up (Paused)"
    word = state.capitalize()
    return f"{word} ({exit_code})" if state in {"exited", "restarting"} and exit_code is not None else word


def telling_labels(labels: Labels) -> Labels:
    """Those that whoever sees the host may see: without what looks like a secret, and what is told elsewhere."""
    kept = {
        name: value
        for name, value in sorted(labels.items())
        if not name.startswith(_COMPOSE) and not is_secret(name, value)
    }
    return clean_labels(kept)


def is_secret(name: str, value: str) -> bool:
    return _SECRET_NAME.search(name.lower()) is not None or _SECRET_VALUE.search(value) is not None


def digest_of(repo_digests: Sequence[str], image: str | None) -> str | None:
    """The `sha256:…` under which the registry of `image` knows it; of any registry if that one does not."""
    of_its_own = digests_of(repo_digests, image or "")
    if of_its_own:
        return of_its_own[0]
    found = (text.partition("@")[2] for text in repo_digests)
    return next((digest for digest in found if is_digest(digest)), None)


def _state(state: State) -> str:
    if state.paused:
        return "paused"
    return _STATES.get(state.status or "", "dead")


def _health(state: State) -> str:
    status = state.health.status if state.health is not None else None
    return status if status in _HEALTHS else "none"


def _compose(labels: Labels, what: str) -> str | None:
    return next((_text(labels[prefix + what]) for prefix in _COMPOSE if prefix + what in labels), None)


def _cores(document: Inspected) -> float | None:
    host = document.host_config
    if host is None:
        return None
    if host.nano_cpus and host.nano_cpus > 0:
        return host.nano_cpus / 1e9
    if host.cpu_quota and host.cpu_quota > 0:
        return host.cpu_quota / (host.cpu_period or 100_000)
    return None


def _ports(settings: NetworkSettings | None) -> list[str]:
    """Each once, although engines bind it for IPv4 and IPv6."""
    found: dict[str, None] = {}
    for inside, bindings in ((settings.ports if settings is not None else None) or {}).items():
        for binding in bindings or ():
            address = binding.host_ip or ""
            outside = binding.host_port or ""
            if address not in _ANY_ADDRESS:
                outside = f"[{address}]:{outside}" if ":" in address else f"{address}:{outside}"
            found[clean_text(f"{outside}→{inside}")] = None
    return sorted(found, key=lambda port: (len(port), port))[:MAX_PORTS]


def _instant(text: str | None) -> str | None:
    """In the form of the link, to the millisecond."""
    text = instant_or_none(text)
    try:
        return None if text is None else format_timestamp(parse_timestamp(text))
    except ValueError:
        return None


def _text(value: str | None) -> str | None:
    return clean_text(value) or None if value else None
