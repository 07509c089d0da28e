"""A connection to the system bus, for questions and their answers, and for signals.

The protocol is jeepney's, the socket is ours: every wait has an end and every answer a bound, whatever
sits at the other side.
"""

import itertools
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from jeepney.auth import BEGIN, AuthenticationError, Authenticator
from jeepney.low_level import HeaderFields, Message, MessageType, Parser
from jeepney.wrappers import DBusAddress, new_method_call

from beszel_agent.errors import ReadingFailed
from beszel_protocol.hygiene import clean_text

TIMEOUT_SECONDS: Final = 5.0
"""For one answer."""

_MAX_ANSWER_BYTES: Final = 4 << 20
_CHUNK_BYTES: Final = 64 << 10
_MOST_SIGNALS: Final = 1024
"""That came while an answer was waited for; the oldest give way."""
BUS: Final = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_UNREADABLE: Final = (AssertionError, AttributeError, IndexError, KeyError, RecursionError, ValueError, struct.error)
"""How jeepney ends when what it is given is no message."""

T = TypeVar("T")


class BusError(ReadingFailed):
    """Who was asked answered with an error; `name` is that of D-Bus."""

    code = "bus_error"

    def __init__(self, name: str, text: str) -> None:
        super().__init__(clean_text(text or name))
        self.name = name


class Bus:
    """Opened with the first question, and anew after whatever went wrong. For one thread at a time."""

    def __init__(self, path: str) -> None:
        """`path` is that of the socket."""
        self._path = path
        self._socket: socket.socket | None = None
        self._parser = Parser()
        self._serials = itertools.count(1)
        self._signals: deque[Message] = deque(maxlen=_MOST_SIGNALS)

    def ask(self, address: DBusAddress, method: str, signature: str = "", arguments: tuple[Any, ...] = ()) -> Any:
        """The body of the answer. Raise OSError (`TimeoutError` among them), `BusError` or `ReadingFailed`."""
        deadline = time.monotonic() + TIMEOUT_SECONDS

        def ask() -> Any:
            if self._socket is None:
                self._open(deadline)
            return self._ask(new_method_call(address, method, signature or None, arguments), deadline)

        return self._guarded(ask)

    def wait(self, seconds: float) -> Message | None:
        """The next signal, None if there is none for so long. Raise OSError or `ReadingFailed`."""
        return self._guarded(lambda: self._wait(time.monotonic() + seconds))

    def drop_signals(self, *, unless: Callable[[Message], bool]) -> None:
        """Those that nobody has waited for yet."""
        kept = self._guarded(lambda: [signal for signal in self._signals if unless(signal)])
        self._signals.clear()
        self._signals.extend(kept)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def interrupt(self) -> None:
        """From another thread: whoever waits for an answer or a signal gets an error."""
        waiting = self._socket
        if waiting is not None:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        self.close()

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except BusError:
            raise  # an answer like any other
        except (OSError, ReadingFailed):
            self.close()
            raise
        except _UNREADABLE as error:
            self.close()
            raise ReadingFailed(f"what the bus sent makes no sense: {error}") from error

    def _open(self, deadline: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._parser, self._serials = Parser(), itertools.count(1)
        self._signals.clear()
        self._wait_until(deadline).connect(self._path)
        login = Authenticator()
        try:
            for line in login:
                self._wait_until(deadline).sendall(line)
                login.feed(self._receive(deadline))
        except AuthenticationError as error:
            raise ReadingFailed(f"the bus does not take this user: {error}") from error
        self._wait_until(deadline).sendall(BEGIN)
        self._ask(new_method_call(BUS, "Hello"), deadline)

    def _ask(self, message: Message, deadline: float) -> Any:
        serial = next(self._serials)
        self._wait_until(deadline).sendall(message.serialise(serial))
        received = 0
        while True:
            answer = self._parser.get_next_message()
            if answer is None:
                chunk = self._receive(deadline)
                received += len(chunk)
                if received > _MAX_ANSWER_BYTES:
                    raise ReadingFailed("the answer of the bus does not end")
                self._parser.add_data(chunk)
            elif answer.header.fields.get(HeaderFields.reply_serial) == serial:
                break
            elif answer.header.message_type is MessageType.signal:
                self._signals.append(answer)
        if answer.header.message_type is MessageType.error:
            texts = [part for part in answer.body if isinstance(part, str)]
            raise BusError(str(answer.header.fields.get(HeaderFields.error_name, "")), *(texts[:1] or [""]))
        return answer.body

    def _wait(self, deadline: float) -> Message | None:
        received = 0
        while not self._signals:
            message = self._parser.get_next_message()
            if message is not None:
                if message.header.message_type is MessageType.signal:
                    return message
                continue  # nobody here answers questions
            if deadline <= time.monotonic():
                return None
            try:
                chunk = self._receive(deadline)
            except TimeoutError:
                return None
            received += len(chunk)
            if received > _MAX_ANSWER_BYTES:
                raise ReadingFailed("what the bus tells does not end")
            self._parser.add_data(chunk)
        return self._signals.popleft()

    def _receive(self, deadline: float) -> bytes:
        chunk = self._wait_until(deadline).recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError(104, "the bus closed the connection")
        return chunk

    def _wait_until(self, deadline: float) -> socket.socket:
        if self._socket is None:
            raise ConnectionResetError(104, "the connection to the bus is closed")
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(110, "the bus does not answer")
        self._socket.settimeout(left)
        return self._socket
