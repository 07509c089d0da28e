"""Talks to one engine through Docker's SDK, which Podman understands too.

The SDK maps 6 MB, so it is loaded when there is an engine to talk to. Everything in here blocks: it is for threads.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from beszel_agent.containers.documents import (
    EventDocument,
    ImageDocument,
    Inspected,
    Listed,
    Statistics,
    read_document,
    read_rows,
)
from beszel_agent.errors import EngineFailed
from beszel_agent.settings import EngineHost

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

T = TypeVar("T")

EVENT_ACTIONS: Final = (
    "create", "start", "die", "died", "oom", "rename", "restart", "pause", "unpause", "update", "destroy", "remove",
    "health_status",
)  # fmt: skip
"""Those that change what is known of a container, in the words of Docker and of Podman."""
_MAX_EVENT_BYTES: Final = 1 << 20
_USER_AGENT: Final = "beszel-agent"


class NoSuchContainer(EngineFailed):
    code = "no_such_container"


class EngineClient:
    """A connection to one engine. Every method raises `EngineFailed`, and within the time-out."""

    def __init__(self, host: EngineHost, *, timeout_seconds: float, certificates: str | None) -> None:
        self.host = host
        self._timeout_seconds = timeout_seconds
        self._api, self.engine = _asked(lambda: _connect(host, timeout_seconds, certificates))

    def listed(self) -> list[Listed]:
        """All containers, running or not."""
        return read_rows(_asked(lambda: self._api.containers(all=True)), Listed)

    def inspect(self, container_id: str) -> Inspected:
        """Raise `NoSuchContainer` if it is gone."""
        return read_document(_asked(lambda: self._api.inspect_container(container_id)), Inspected)

    def inspect_raw(self, container_id: str) -> Any:
        return _asked(lambda: self._api.inspect_container(container_id))

    def repo_digests(self, image_id: str) -> list[str]:
        answer = _asked(lambda: self._api.inspect_image(image_id))
        return read_document(answer, ImageDocument).repo_digests or []

    def statistics(self, container_id: str) -> Statistics:
        """One reading. Engines that can wait for none answer at once, older ones after a second or two."""
        path = f"/containers/{container_id}/stats"
        answer = _asked(lambda: self._get(path, {"stream": "false", "one-shot": "true"}).json())
        return read_document(answer, Statistics)

    def events(self) -> "Stream":
        """The lines of `/events` about containers, from now on."""
        filters = {"type": ["container"], "event": list(EVENT_ACTIONS)}
        parameters = {"filters": msgspec.json.encode(filters).decode()}
        return Stream(_asked(lambda: self._get("/events", parameters, stream=True, endless=True)))

    def logs(self, container_id: str, parameters: dict[str, str], *, endless: bool) -> "Stream":
        """What a container wrote, as the engine has it: in frames, or plain if it has a terminal."""
        path = f"/containers/{container_id}/logs"
        return Stream(_asked(lambda: self._get(path, parameters, stream=True, endless=endless)))

    def close(self) -> None:
        self._api.close()

    def _get(self, path: str, parameters: dict[str, str], *, stream: bool = False, endless: bool = False) -> "Response":
        """The SDK's own session. What never ends has no time-out between two pieces, only for the connection."""
        timeout = (self._timeout_seconds, None) if endless else self._timeout_seconds
        url = f"{self._api.base_url}/v{self._api.api_version}{path}"
        response: Response = self._api.get(url, params=parameters, timeout=timeout, stream=stream)
        response.raise_for_status()
        return response


class Stream:
    """Pieces as they arrive; `close` from another thread ends it."""

    def __init__(self, response: "Response") -> None:
        self._response = response
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_content(chunk_size=None)
        except Exception as error:  # closed or broken: the SDK's libraries raise many kinds
            if not self._is_closed:
                raise EngineFailed(f"the stream broke: {error}") from error
        finally:
            self._response.close()

    def close(self) -> None:
        """From any thread. A reader that waits is only woken by the end of its socket, and closes the rest itself."""
        self._is_closed = True
        with suppress(OSError, AttributeError):
            self._response.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - as the SDK itself does


def read_events(stream: Stream) -> Iterator[EventDocument]:
    """One JSON object a line; one that is not understood is passed by."""
    decoder = msgspec.json.Decoder(EventDocument)
    rest = b""
    for piece in stream:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _MAX_EVENT_BYTES:
            raise EngineFailed("an event does not end")
        for line in lines:
            with suppress(msgspec.DecodeError):
                if line.strip():
                    yield decoder.decode(line)


def _connect(host: EngineHost, timeout_seconds: float, certificates: str | None) -> "tuple[APIClient, str]":
    """A client in the version that the engine speaks, and which engine it is."""
    if host.scheme == "unix":
        _knock(host.place, timeout_seconds)
    from docker import APIClient  # noqa: PLC0415 - see above
    from docker.constants import MINIMUM_DOCKER_API_VERSION  # noqa: PLC0415
    from docker.tls import TLSConfig  # noqa: PLC0415

    tls = _tls_config(TLSConfig, host, certificates)
    base_url = str(host) if tls is False else f"https://{host.place}"

    def make(version: str) -> "APIClient":
        api = APIClient(
            base_url=base_url, version=version, timeout=timeout_seconds, tls=tls, user_agent=_USER_AGENT
        )  # fmt: skip
        # Proxies, passwords and authorities that the environment names are none of an engine's business.
        api.trust_env = False
        # The SDK pools connections by whole URL: one for each of the last 25 containers would stay open, for nothing.
        api.headers["Connection"] = "close"
        return api

    with make(MINIMUM_DOCKER_API_VERSION) as asking:
        answer = asking.version(api_version=False)
    if not isinstance(answer, dict) or not isinstance(answer.get("ApiVersion"), str):
        raise EngineFailed("what answers there is no container engine")
    return make(answer["ApiVersion"]), _kind_of(answer)


def _knock(path: str, timeout_seconds: float) -> None:
    """Raise OSError if nothing answers, before the SDK is loaded, which leaves a socket behind when that happens."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(timeout_seconds)
        probe.connect(path)


def _tls_config(kind: Any, host: EngineHost, certificates: str | None) -> Any:
    """False for none; the engine's certificate is checked wherever there is one."""
    if host.scheme == "unix" or (host.scheme == "tcp" and certificates is None):
        return False
    if certificates is None:
        return True
    directory = Path(certificates)
    pair = directory / "cert.pem", directory / "key.pem"
    authority = directory / "ca.pem"
    return kind(
        client_cert=tuple(map(str, pair)) if pair[0].exists() else None,
        ca_cert=str(authority) if authority.exists() else None,
        verify=True,
    )


def _kind_of(version: Any) -> str:
    """Podman names itself among its components."""
    components = version.get("Components") if isinstance(version, dict) else None
    names = [str(item.get("Name", "")) for item in components or () if isinstance(item, dict)]
    return "podman" if any("podman" in name.lower() for name in names) else "docker"


def _asked(ask: Callable[[], T]) -> T:
    """The answer. Whatever the SDK and the libraries below it raise is an `EngineFailed`."""
    try:
        return ask()
    except EngineFailed:
        raise
    except ModuleNotFoundError as error:
        raise EngineFailed(f"`{error.name}` is not installed: pip install 'beszel-suite[agent]'") from error
    except Exception as error:  # of its own, of requests, of urllib3, and OSError: they have no common root
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status == 404:
            raise NoSuchContainer("no such container") from error
        raise EngineFailed(explain(error)) from error


def explain(error: BaseException) -> str:
    """The innermost reason, which says most: the layers above repeat it with their own names around it."""
    seen = 0
    while seen < 8:
        inner = error.__cause__ or error.__context__
        if inner is None or isinstance(error, PermissionError | FileNotFoundError | ConnectionRefusedError):
            break
        error, seen = inner, seen + 1
    if isinstance(error, PermissionError):
        return "no permission; the agent's user is not in the socket's group"
    if isinstance(error, FileNotFoundError):
        return "its socket is gone"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return (str(error) or type(error).__name__).splitlines()[0][:200]
