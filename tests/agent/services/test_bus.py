"""What may sit behind the path of the bus."""

import socket
import threading
from pathlib import Path

import pytest
from jeepney.wrappers import DBusAddress

from beszel_agent.errors import ReadingFailed
from beszel_agent.services import bus
from beszel_agent.services.bus import Bus

ANYBODY = DBusAddress("/", "a.b", "c.d")


@pytest.fixture(name="path")
def choose_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bus, "TIMEOUT_SECONDS", 0.3)
    return str(tmp_path / "bus")


def serve(path: str, *answers: bytes) -> threading.Thread:
    """Takes one caller, says one thing after each of its first words. With nothing to say it hangs up."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)

    def work() -> None:
        with listener, listener.accept()[0] as caller:
            caller.settimeout(5)
            for answer in answers:
                if not caller.recv(4096):
                    return
                caller.sendall(answer)
            while answers and caller.recv(4096):
                pass  # until the caller has had enough

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((b"REJECTED EXTERNAL\r\n",), ReadingFailed),
        ((b"x" * 9000,), ReadingFailed),
        ((b"OK 1234\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"), ReadingFailed),
        ((b"OK 1234\r\n", b"l\x02\x01\x01" + b"\xff" * 60), (ReadingFailed, OSError)),
        ((b"OK 1234\r\n", b"\x00" * 64), ReadingFailed),
        ((), ConnectionError),  # reset, or a broken pipe, as it happens to notice
    ],
)
def test_who_is_no_bus(path: str, answers: tuple[bytes, ...], error: type[Exception]) -> None:
    server = serve(path, *answers)
    try:
        with pytest.raises(error):
            Bus(path).ask(ANYBODY, "Hello")
    finally:
        server.join()


def test_nobody_there(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        Bus(path).ask(ANYBODY, "Hello")
