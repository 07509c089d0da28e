"""How a setting is declared, and the types a setting can have.

A setting is one annotated field of `Config`; names, defaults, help, flags and the reference page are read off it.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from beszel_protocol.messages import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS

_KEY_TYPE: Final = "ssh-ed25519"
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})
CHECKS_CHOICES: Final = ("on", "public", "off")
MIN_SMART_SECONDS: Final = 60.0
_NAME_MARK: Final = "__"
_SMART_TYPE: Final = re.compile(r"(3ware|[a-z]\w*)[\w,/+-]*", re.ASCII)
"""What smartctl knows behind `-d`; a number may be part of a path."""
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZES: Final = {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_LEAST_SPOOL_SECONDS: Final = 60.0
_LEAST_SPOOL_BYTES: Final = 1 << 20


class Setting(NamedTuple):
    """The annotation of a field of `Config`. `parse` raises ValueError with a sentence for the user."""

    parse: Callable[[str], Any]
    kind: str
    """What to write, for the reference page: `URL`, `seconds`, `true or false` …"""
    help: str
    flags: tuple[str, ...] = ()
    secret: bool = False
    """May also be given as the name of a file in `<NAME>_FILE`, and is never printed."""
    may_be_empty: bool = False
    """Set but empty says something; elsewhere it is what a template leaves where nothing was filled in."""


class LaterSetting(NamedTuple):
    """A name that belongs to the agent although nothing reads it yet."""

    name: str
    help: str
    flags: tuple[str, ...] = ()


class NamedDisk(NamedTuple):
    """A filesystem or device that the host's owner singled out."""

    disk: str
    """A mount point, a device, or the bare name of one."""
    name: str | None
    """What to call it; None to leave that to where it is mounted."""

    def __str__(self) -> str:
        return self.disk if self.name is None else f"{self.disk}{_NAME_MARK}{self.name}"


class SmartDevice(NamedTuple):
    """A disk for smartctl."""

    path: str
    type: str | None
    """Its `-d`; None to let it find out."""


class EngineHost(NamedTuple):
    """Where a container engine listens."""

    scheme: str
    """`unix`, `tcp` or `https`."""
    place: str
    """The path of a socket, or `host:port`."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"


class HubUrl(msgspec.Struct, frozen=True):
    """Where the hub is, taken apart."""

    secure: bool
    host: str
    port: int
    path: str
    """Without a slash at its end; the hub may live below a sub-path of a proxy."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


class SpoolLimit(NamedTuple):
    """How much may wait for the hub; what is reached first counts."""

    age_ms: int = 24 * 3600 * 1000
    size_bytes: int = 64 << 20

    def __str__(self) -> str:
        return f"{self.age_ms / 3_600_000:g}h,{self.size_bytes / (1 << 20):g}MiB"


def parse_text(text: str) -> str:
    return text.strip()


def parse_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("write true or false")


def parse_choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in choices:
            raise ValueError(f"write {' or '.join(choices)}")
        return word

    return parse


def parse_checks(text: str) -> str:
    """One of `CHECKS_CHOICES`."""
    word = text.strip().lower()
    if word == "public":
        return word
    try:
        return "on" if parse_flag(word) else "off"
    except ValueError:
        raise ValueError(f"write {', '.join(CHECKS_CHOICES[:-1])} or {CHECKS_CHOICES[-1]}") from None


def parse_seconds(text: str) -> float:
    """`10`, `1.5`, `500ms`, `10s`, `1m30s`, `1h`."""
    word = text.strip().lower()
    try:
        return float(word) if word[-1:].isdigit() else _sum_durations(word)
    except (ValueError, KeyError):
        raise ValueError("write a time such as 10, 500ms, 10s or 1m30s") from None


def parse_interval(text: str) -> float:
    seconds = parse_seconds(text)
    if not MIN_INTERVAL_SECONDS <= seconds <= MAX_INTERVAL_SECONDS:
        raise ValueError(f"lies between {MIN_INTERVAL_SECONDS:g} s and {MAX_INTERVAL_SECONDS:g} s")
    return seconds


def parse_spool_limit(text: str) -> SpoolLimit:
    """`24h`, `64MiB` or both with a comma between them; what is not said stays as it is without the setting."""
    limit = SpoolLimit()
    for word in parse_names(text.lower()):
        size_bytes = _parse_size(word)
        if size_bytes is None:
            seconds = parse_seconds(word)
            if not _LEAST_SPOOL_SECONDS <= seconds < float("inf"):
                raise ValueError("holds at least a minute")
            limit = limit._replace(age_ms=int(1000 * seconds))
        elif size_bytes < _LEAST_SPOOL_BYTES:
            raise ValueError("holds at least 1 MiB")
        else:
            limit = limit._replace(size_bytes=size_bytes)
    return limit


def parse_timeout(text: str) -> float:
    seconds = parse_seconds(text)
    if not 0.1 <= seconds <= 60:
        raise ValueError("lies between 100 ms and 60 s")
    return seconds


def parse_known_names(*known: str) -> Callable[[str], tuple[str, ...]]:
    """A list of some of these."""

    def parse(text: str) -> tuple[str, ...]:
        names = parse_names(text.lower())
        for name in names:
            if name not in known:
                raise ValueError(f"{name} is none of {', '.join(known)}")
        return names

    return parse


def parse_smart_interval(text: str) -> float:
    seconds = parse_seconds(text)
    if seconds < MIN_SMART_SECONDS:
        raise ValueError(f"is at least {MIN_SMART_SECONDS:g} s: asking a disk costs it time")
    return seconds


def parse_names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parse_named_disk(text: str) -> NamedDisk:
    """`/srv`, `sda1` or `/dev/sda1`, each with `__What it is called` behind it if wanted."""
    disk, _, name = text.strip().partition(_NAME_MARK)
    if not disk.strip():
        raise ValueError(f"write a mount point or a device, and what to call it behind {_NAME_MARK}")
    return NamedDisk(disk.strip(), name.strip() or None)


def parse_named_disks(text: str) -> tuple[NamedDisk, ...]:
    return tuple(map(parse_named_disk, parse_names(text)))


def parse_smart_device(text: str) -> SmartDevice:
    """`/dev/sda`, `/dev/sda:sat`, `/dev/bus/0:megaraid,4`; the colons of `by-path` names belong to the path."""
    path, colon, kind = text.strip().rpartition(":")
    if not colon or not _SMART_TYPE.fullmatch(kind):
        path, kind = text.strip(), ""
    if not path.startswith("/"):
        raise ValueError(f"{text.strip()!r} is no device; write it as /dev/sda or /dev/sda:sat")
    return SmartDevice(path, kind or None)


def parse_engine_host(text: str) -> EngineHost:
    """`unix:///run/docker.sock` or its bare path, `tcp://host:2375`, `https://host:2376`."""
    word = text.strip()
    parts = urlsplit(f"unix://{word}" if word.startswith("/") else word)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return EngineHost("unix", parts.path)
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    if parts.scheme not in {"tcp", "http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("write unix:///run/docker.sock, tcp://host:2375 or https://host:2376")
    secure = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return EngineHost("https" if secure else "tcp", f"{host}:{port or (2376 if secure else 2375)}")


def parse_engine_hosts(text: str) -> tuple[EngineHost, ...]:
    return tuple(map(parse_engine_host, parse_names(text)))


def parse_hub_url(text: str) -> HubUrl:
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError("write it with scheme and host, such as https://hub.example.org")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("has only a scheme, a host, a port and a path")
    if not _is_host(parts.hostname):
        raise ValueError(f"{parts.hostname} is no name of a host: between its dots stand 1 to 63 characters")
    secure = parts.scheme in {"https", "wss"}
    return HubUrl(secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"))


def _is_host(name: str) -> bool:
    """Whether the resolver can be asked for it: what cannot be written as a name of DNS it does not even take."""
    if name.isascii():
        return all(0 < len(label) < 64 for label in name.removesuffix(".").split("."))
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def parse_hub_keys(text: str) -> tuple[bytes, ...]:
    """Lines as in `authorized_keys` (`ssh-ed25519 AAAA… comment`), or the 32 bytes in base64url; `#` comments."""
    keys = [parse_hub_key(line) for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    if not keys:
        raise ValueError("holds no key")
    return tuple(dict.fromkeys(keys))


def parse_hub_key(line: str) -> bytes:
    words = line.split()
    if _KEY_TYPE in words[:-1]:
        return _read_openssh_blob(words[words.index(_KEY_TYPE) + 1])
    if line.startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError(f"only {_KEY_TYPE} keys are known, not {words[0]}")
    key = _decode_base64(words[0], altchars=b"-_")
    if len(words) != 1 or len(key) != 32:
        raise ValueError(f"write `{_KEY_TYPE} AAAA…` as the hub prints it")
    return key


def _read_openssh_blob(word: str) -> bytes:
    """RFC 4253 §6.6: the length-prefixed name of the key type, then the length-prefixed key."""
    blob = _decode_base64(word)
    name = _KEY_TYPE.encode()
    head = len(name).to_bytes(4, "big") + name + (32).to_bytes(4, "big")
    if not blob.startswith(head) or len(blob) != len(head) + 32:
        raise ValueError(f"what follows {_KEY_TYPE} is no such key")
    return blob[len(head) :]


def _decode_base64(word: str, altchars: bytes | None = None) -> bytes:
    try:
        return base64.b64decode(word.encode("ascii") + b"=" * (-len(word) % 4), altchars=altchars, validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("is not base64; was the key cut?") from None


def _parse_size(word: str) -> int | None:
    """None if this is no size at all."""
    unit = next((unit for unit in _SIZES if word.endswith(unit)), None)
    if unit is None:
        return None
    number = word.removesuffix(unit).strip()
    if not number.isdecimal():
        raise ValueError("write a size such as 64MiB")
    return int(number) * _SIZES[unit]


def _sum_durations(word: str) -> float:
    total, number, position = 0.0, "", 0
    while position < len(word):
        if word[position].isdigit() or word[position] == ".":
            number += word[position]
            position += 1
            continue
        unit = "ms" if word.startswith("ms", position) else word[position]
        total += float(number) * _UNITS[unit]
        number, position = "", position + len(unit)
    if number or not word:
        raise ValueError
    return total
