"""Session tokens kept between runs: one file, readable by its owner only, one token a hub."""

import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

_MAX_BYTES: Final = 256 << 10


class Session(msgspec.Struct, frozen=True, kw_only=True):
    hub: str
    token: str
    identity: str = ""
    """Who is logged in, for the login form."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    last: str = ""
    """The hub used last."""
    sessions: list[Session] = []


def load_session(path: Path, hub: str | None = None) -> Session | None:
    """The session of `hub`, or of the hub used last. A file that cannot be read is as good as none."""
    file = _read(path)
    wanted = hub or file.last
    return next((session for session in file.sessions if session.hub == wanted), None)


def known_sessions(path: Path) -> list[Session]:
    """Of every hub."""
    return _read(path).sessions


def save_session(path: Path, session: Session) -> None:
    """Keep `session` in place of an older one of its hub. Raises OSError."""
    others = [known for known in _read(path).sessions if known.hub != session.hub]
    write_private(path, msgspec.json.encode(_File(last=session.hub, sessions=[*others, session])))


def replace_token(path: Path, hub: str, before: str, token: str) -> None:
    """Keep a renewed token where the old one was; what has come to stand there meanwhile stays. Raises OSError."""
    file = _read(path)
    kept = [
        msgspec.structs.replace(known, token=token) if (known.hub, known.token) == (hub, before) else known
        for known in file.sessions
    ]
    if kept != file.sessions:
        write_private(path, msgspec.json.encode(_File(last=file.last, sessions=kept)))


def forget_session(path: Path, hub: str) -> None:
    file = _read(path)
    kept = [known for known in file.sessions if known.hub != hub]
    if len(kept) != len(file.sessions):
        write_private(path, msgspec.json.encode(_File(last=file.last, sessions=kept)))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step by one of mode 0600, in a folder of mode 0700. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=_File)
    except (OSError, msgspec.DecodeError):
        return _File()
