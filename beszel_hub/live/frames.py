"""Server frames encoded once for many clients, who differ in nothing but the frame's sequence."""

from typing import Final, NamedTuple, TypeAlias

from beszel_protocol.feed import Alerts, FeedError, Fleet, Jobs, Resync, SystemSample, encode

_MARKER: Final = '"sequence":0'

Unnumbered: TypeAlias = Fleet | SystemSample | Alerts | Jobs | Resync | FeedError
"""A server frame whose sequence is still 0."""


class SharedFrame(NamedTuple):
    """The text of a frame, cut where the sequence goes."""

    head: str
    tail: str
    topic: str

    def numbered(self, sequence: int) -> str:
        return f'{self.head}"sequence":{sequence}{self.tail}'

    def __len__(self) -> int:
        """Characters, about."""
        return len(self.head) + len(self.tail) + len(_MARKER)


def share(frame: Unnumbered, topic: str) -> SharedFrame:
    """Encode a frame; `topic` is what a client missed if the frame never reaches it."""
    return share_encoded(encode(frame), topic)


def share_encoded(frame: bytes, topic: str) -> SharedFrame:
    """A frame that is encoded already, in which nothing but its type stands before the sequence."""
    head, _, tail = frame.decode().partition(_MARKER)
    return SharedFrame(head, tail, topic)
