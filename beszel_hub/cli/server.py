"""Runs the hub: one server a data directory, its address noted there, stopped within two seconds by a signal."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from beszel_hub.app import create_app
from beszel_hub.backups.restoring import refuse_half_restored
from beszel_hub.cli.backups import put_back_as_requested
from beszel_hub.cli.opening import prepare_directory
from beszel_hub.config import HubConfig, Loaded
from beszel_hub.door.connections import PatientHttpProtocol
from beszel_hub.door.proxies import behind_proxies
from beszel_hub.door.tls import TlsFiles
from beszel_hub.door.websockets import FrugalWebSocketProtocol
from beszel_hub.errors import StartError
from beszel_hub.hub import Hub
from beszel_hub.log import configure_log
from beszel_hub.settings import make_url
from beszel_hub.store.files import write_private_file
from beszel_hub.store.locks import Held, hold
from beszel_hub.store.urls import without_password
from beszel_protocol.messages import MAX_FRAME_BYTES, PING_INTERVAL_SECONDS, PONG_TIMEOUT_SECONDS
from beszel_protocol.version import VERSION

GRACE_SECONDS: Final = 1
"""For requests under way when a signal comes."""
BACKLOG: Final = 1024
MAX_CONNECTIONS: Final = 10_000
_YOUNG_OBJECTS: Final = 50_000
_SWITCH_SECONDS: Final = 0.001
"""How long the loop waits at most for a thread that seals history; Python's 5 ms add up with every turn of the loop."""
_HEAD_BYTES: Final = 64 << 10
"""What the HTTP parser takes; the door refuses much less, with a proper answer."""

_log = logging.getLogger("beszel_hub")


def run_server(loaded: Loaded) -> None:
    """Serve until a signal; raise `StartError` if it cannot even start."""
    import jwt  # noqa: F401, PLC0415  # or the first who asks would wait for it, and everybody with them

    config = loaded.config
    configure_log(config.log_level)
    for name in loaded.ignored:
        _log.warning("%s has no effect yet", name)
    prepare_directory(config.data_dir)
    with only_server(config), _listening(config) as sockets:
        put_back_as_requested(config)
        refuse_half_restored(config)
        tls = load_tls(config)
        hub = Hub(config)
        _note_database(config)
        server = _Server(config, hub, tls)
        url = make_url(config.http_host, sockets[0].getsockname()[1], is_tls=tls is not None)
        with _noted_address(config, url):
            _spare_collector()
            sys.setswitchinterval(_SWITCH_SECONDS)
            _log.info("beszel-hub %s serves %s from %s", VERSION, url, config.data_dir)
            asyncio.run(server.serve(sockets))


def _note_database(config: HubConfig) -> None:
    """For commands, which are told no more than the data directory; without the password."""
    if config.database_url is not None:
        write_private_file(config.database_note_path, f"{without_password(config.database_url)}\n".encode())


def _spare_collector() -> None:
    """Look less for garbage among what lives as long as the hub, or is as many as a thousand newest samples."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


class HubServer(uvicorn.Server):
    """Ends event streams when it stops, which would never end by themselves."""

    def __init__(self, config: HubConfig, hub: Hub, tls: TlsFiles | None = None) -> None:
        super().__init__(uvicorn_config(config, hub, tls))
        self._hub = hub
        self._tls = tls

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.realtime.end_all()
        await super().shutdown(sockets)


class _Server(HubServer):
    """Ends well on a signal, where uvicorn would raise the signal once more; reads its certificate again on SIGHUP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        handlers: dict[signal.Signals, Callable[[], object]] = {signal.SIGINT: self._stop, signal.SIGTERM: self._stop}
        if self._tls is not None:
            handlers[signal.SIGHUP] = self._tls.reload
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def load_tls(config: HubConfig) -> TlsFiles | None:
    """None if the hub serves plain HTTP; raise `StartError` if the files cannot be used."""
    if config.tls_cert is None or config.tls_key is None:
        return None
    return TlsFiles(config.tls_cert, config.tls_key)


def uvicorn_config(config: HubConfig, hub: Hub, tls: TlsFiles | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        behind_proxies(create_app(hub), config), lifespan="on", http=PatientHttpProtocol, ws=FrugalWebSocketProtocol,
        loop="asyncio",
        ws_max_size=MAX_FRAME_BYTES, ws_ping_interval=PING_INTERVAL_SECONDS, ws_ping_timeout=PONG_TIMEOUT_SECONDS,
        proxy_headers=False,  # `behind_proxies` does that, and remembers who the proxy was
        log_config=None, access_log=False, server_header=False, limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS, h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_context_factory=None if tls is None else lambda *_: tls.context,
    )  # fmt: skip


@contextmanager
def only_server(config: HubConfig) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold(config.lock_path))
        except Held as error:
            raise StartError(f"another hub serves {config.data_dir} already") from error
        except OSError as error:
            raise StartError(f"the lock {config.lock_path} cannot be used: {error.strerror}") from error
        yield


@contextmanager
def _listening(config: HubConfig) -> Iterator[list[socket.socket]]:
    """A socket for every address of the host, all on one port."""
    sockets: list[socket.socket] = []
    port = config.http_port
    try:
        found = socket.getaddrinfo(config.http_host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((entry[0], str(entry[4][0])) for entry in found):
            sockets.append(listen(family, address, port))
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for opened in sockets:
            opened.close()
        raise StartError(f"cannot serve on {config.http_host} port {port}: {error.strerror or error}") from error
    try:
        yield sockets
    finally:
        for opened in sockets:
            opened.close()


def listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    """A listening socket that names its protocol: asyncio sets TCP_NODELAY on connections of such a one only.

    Without, every answer on a kept connection waits 40 ms for the client's delayed acknowledgement.
    """
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _noted_address(config: HubConfig, url: str) -> Iterator[None]:
    """Where commands beside this server find it."""
    write_private_file(config.address_path, f"{url}\n".encode())
    try:
        yield
    finally:
        config.address_path.unlink(missing_ok=True)
