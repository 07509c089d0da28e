"""What a host is, beside what it does: told at enrolment, and when it changed after all."""

import msgspec


class HostDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What does not change while a host runs; sent at enrolment and when it changed after all."""

    hostname: str
    os: str | None = None
    """`linux`, `darwin`, `windows` or `freebsd`."""
    os_name: str | None = None
    """As people call it: `Debian GNU/Linux 12 (bookworm)`."""
    kernel: str | None = None
    architecture: str | None = None
    cpu_model: str | None = None
    cores: int | None = None
    threads: int | None = None
    memory_total_bytes: int | None = None
    agent_version: str | None = None
    podman: bool | None = None
