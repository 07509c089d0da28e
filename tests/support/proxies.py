"""A socket in front of a socket, which a test can break, silence and restore."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Proxy:
    """Passes connections on to the socket at `target`."""

    def __init__(self, listener: socket.socket, target: Path, tls: ssl.SSLContext | None = None) -> None:
        self._listener, self._target, self._tls = listener, target, tls
        self._connections: list[socket.socket] = []
        self.is_silent = False
        """Connections are taken and never answered."""
        threading.Thread(target=self._accept, daemon=True).start()

    def break_all(self) -> None:
        """Every connection ends."""
        connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()

    def _accept(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(incoming,), daemon=True).start()

    def _serve(self, incoming: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                incoming = self._tls.wrap_socket(incoming, server_side=True)
            with incoming, socket.socket(socket.AF_UNIX) as outgoing:
                self._connections += [incoming, outgoing]
                outgoing.connect(str(self._target))
                back = threading.Thread(target=self._pump, args=(outgoing, incoming), daemon=True)
                back.start()
                self._pump(incoming, outgoing)
                back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if not self.is_silent:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def unix_proxy(at: Path, target: Path) -> Iterator[Proxy]:
    """At the path `at`, which is gone afterwards."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(at))
        listener.listen()
        proxy = Proxy(listener, target)
        try:
            yield proxy
        finally:
            proxy.close()
            at.unlink(missing_ok=True)


@contextmanager
def tcp_proxy(target: Path, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """On loopback; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        proxy = Proxy(listener, target, tls)
        try:
            yield port
        finally:
            proxy.close()
