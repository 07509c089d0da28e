"""One request and as much of its answer as matters. Pure: `h11` speaks HTTP, and whoever has the socket feeds it.

Heads are bounded by `h11`, bodies here. Nothing of a body leaves this file but whether it has the keyword.
"""

from typing import Final, NamedTuple

import h11

from beszel_agent.errors import TargetDown
from beszel_protocol.targets import Url
from beszel_protocol.version import VERSION

MAX_HEAD_BYTES: Final = 32 << 10
MAX_BODY_BYTES: Final = 256 << 10
"""Looked through for the keyword; what comes after them is not read."""
MAX_INTERIM_ANSWERS: Final = 8
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_MAX_LOCATION_LENGTH: Final = 4096


class Head(NamedTuple):
    status_code: int
    location: str | None
    """Where it redirects to, as it stands there."""


class PageReader:
    """Reads one answer: `feed` it until there is a `head`, and then until `is_complete`, if the body matters."""

    def __init__(self, url: Url, method: str, keyword: str) -> None:
        self.head: Head | None = None
        self.is_complete = False
        """Nothing more of it matters."""
        self.has_keyword = False
        self._keyword = keyword.encode()
        self._body = b""
        self._body_bytes = self._interim_answers = 0
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._request = h11.Request(
            method=method,
            target=url.path,
            headers=[
                ("Host", url.authority),
                ("User-Agent", f"beszel-agent/{VERSION}"),
                ("Accept", "*/*"),
                ("Accept-Encoding", "identity"),
                ("Connection", "close"),
            ],
        )

    def request(self) -> bytes:
        """What to send, once."""
        first = self._connection.send(self._request) or b""
        return first + (self._connection.send(h11.EndOfMessage()) or b"")

    def feed(self, data: bytes) -> None:
        """Take what has arrived; empty at the end of the connection. Raise `TargetDown` for what is no HTTP."""
        try:
            self._connection.receive_data(data)
            while not self.is_complete and self._take(self._connection.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            raise TargetDown(_explain(error, ended=not data)) from error

    def _take(self, event: object) -> bool:
        """Whether there may be more in what has arrived."""
        match event:
            case h11.InformationalResponse():
                self._interim_answers += 1
                if self._interim_answers > MAX_INTERIM_ANSWERS:
                    raise TargetDown("it announces an answer again and again")
            case h11.Response():
                self._take_head(event)
            case h11.Data():
                self._look_through(bytes(event.data))
            case h11.EndOfMessage() | h11.ConnectionClosed():
                self.is_complete = True
            case _:
                return False
        return True

    def _take_head(self, response: h11.Response) -> None:
        location = next((value for name, value in response.headers if name == b"location"), b"")
        is_redirect = response.status_code in _REDIRECTS and 0 < len(location) <= _MAX_LOCATION_LENGTH
        self.head = Head(response.status_code, location.decode("latin-1") if is_redirect else None)

    def _look_through(self, data: bytes) -> None:
        """Only the end of what came before can be part of a keyword that goes on here."""
        data = data[: MAX_BODY_BYTES - self._body_bytes]
        self._body_bytes += len(data)
        window = self._body + data
        self.has_keyword = self.has_keyword or self._keyword in window
        self._body = window[-len(self._keyword) :]
        if self.has_keyword or self._body_bytes >= MAX_BODY_BYTES:
            self.is_complete = True


def _explain(error: h11.RemoteProtocolError, *, ended: bool) -> str:
    if error.error_status_hint == 431:
        return f"the head of its answer is longer than {MAX_HEAD_BYTES >> 10} KiB"
    return "it ended the connection before its answer" if ended else "what it answers is no HTTP"
