"""`config.yml`: systems that an operator wrote down, and the same file written from what the hub has. Pure.

    systems:
      - {name: web, host: web.lan, port: 45876, token: …, users: [ada@example.org], tags: [prod], interval: 1}
    remove_missing: false

The keys are Beszel's, but for `tags`, `interval` and `remove_missing`. A system is recognised by name, host and port,
else by its name if only one has that. Systems that the file does not name stay, unless `remove_missing` says otherwise.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from beszel_hub.errors import BadRequest
from beszel_protocol.messages import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS

MAX_FILE_BYTES: Final = 1 << 20
MAX_SYSTEMS: Final = 10_000

_HEADER: Final = """\
# The systems of this hub. As config.yml in its data directory, this file is applied at every start.
# Systems that are not named here stay, unless it says `remove_missing: true`.
"""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Text = Annotated[str, msgspec.Meta(max_length=255)]


class DeclaredSystem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry; None leaves what there is."""

    name: Name
    host: Text = ""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | Text = ""
    token: Annotated[str, msgspec.Meta(min_length=16, max_length=255)] | None = None
    users: list[Text] | None = None
    """E-mail addresses."""
    tags: Annotated[list[Text], msgspec.Meta(max_length=32)] | None = None
    interval: Annotated[float, msgspec.Meta(ge=MIN_INTERVAL_SECONDS, le=MAX_INTERVAL_SECONDS)] | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells systems apart."""
        return (self.name, self.host, str(self.port))


class SystemsFile(msgspec.Struct, frozen=True, kw_only=True):
    systems: Annotated[list[DeclaredSystem], msgspec.Meta(max_length=MAX_SYSTEMS)] | None = None
    remove_missing: bool = False


class KnownSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A system that the hub has."""

    id: str
    name: str
    host: str
    port: str

    @property
    def place(self) -> tuple[str, str, str]:
        return (self.name, self.host, self.port)


def parse(content: bytes) -> SystemsFile:
    """Raise `BadRequest` with a sentence for what is not such a file."""
    if len(content) > MAX_FILE_BYTES:
        raise BadRequest(f"The file has more than {MAX_FILE_BYTES} bytes.")
    try:
        declared = msgspec.yaml.decode(content or b"{}", type=SystemsFile)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadRequest(f"The file cannot be read: {error}") from error
    seen: set[tuple[str, str, str]] = set()
    for system in declared.systems or []:
        if system.place in seen:
            raise BadRequest(f"The file names {system.name!r} twice with the same host and port.")
        seen.add(system.place)
    return declared


def write(systems: Sequence[DeclaredSystem]) -> str:
    """The file that `parse` reads as these systems."""
    document = {"systems": [msgspec.to_builtins(system) for system in systems]}
    return _HEADER + msgspec.yaml.encode(document).decode()


def match(declared: Sequence[DeclaredSystem], known: Sequence[KnownSystem]) -> list[str | None]:
    """For each declared system the id of the one it means, None for a new one; no id twice."""
    by_place = {system.place: system.id for system in known}
    found = [by_place.get(system.place) for system in declared]
    taken = {system_id for system_id in found if system_id is not None}
    free: dict[str, list[str]] = {}
    for system in known:
        if system.id not in taken:
            free.setdefault(system.name, []).append(system.id)
    names = [system.name for system, system_id in zip(declared, found, strict=True) if system_id is None]
    return [
        free[system.name][0]
        if system_id is None and len(free.get(system.name, ())) == 1 and names.count(system.name) == 1
        else system_id
        for system, system_id in zip(declared, found, strict=True)
    ]
