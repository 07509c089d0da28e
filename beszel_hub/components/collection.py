"""The collections `smart_devices` and `systemd_services`, with Beszel's fields."""

from typing import Final

from beszel_hub.components import queries
from beszel_hub.components.tables import SmartDevice, SystemdService
from beszel_hub.records.registry import UPDATED, Collection, Field, Kind, TableSource
from beszel_hub.systems.queries import visible_to

SMART_DEVICES_ID: Final = "pbc_2571630677"
SERVICES_ID: Final = "pbc_3494996990"
_ID: Final = Field(name="id", max_length=15)
_SYSTEM: Final = Field(name="system", attribute="system_id", kind=Kind.RELATION, target="systems")


def make_smart_devices_collection() -> Collection:
    """Members may delete a disk that is gone; one that is there comes back with its next reading."""
    texts = ("name", "model", "state", "firmware", "serial", "type")
    numbers = ("capacity", "temp", "hours", "cycles")
    return Collection(
        name="smart_devices", id=SMART_DEVICES_ID,
        fields=(
            _ID, _SYSTEM, *(Field(name=name) for name in texts),
            *(Field(name=name, kind=Kind.NUMBER) for name in numbers),
            Field(name="attributes", kind=Kind.JSON), UPDATED,
        ),
        source=TableSource(
            table=SmartDevice, scope=lambda actor: visible_to(actor, SmartDevice.system_id),
            delete=lambda _, record_id: queries.delete_disk(record_id),
        ),
    )  # fmt: skip


def make_services_collection() -> Collection:
    """`state` and `sub` are numbers, `updated` milliseconds, as Beszel has them."""
    numbers = (
        ("state", "state"), ("sub", "sub"), ("cpu", "cpu"), ("cpuPeak", "cpu_peak"), ("memory", "memory"),
        ("memPeak", "mem_peak"), ("updated", "updated"),
    )  # fmt: skip
    return Collection(
        name="systemd_services", id=SERVICES_ID,
        fields=(
            _ID, _SYSTEM, Field(name="name"),
            *(Field(name=name, attribute=column, kind=Kind.NUMBER) for name, column in numbers),
        ),
        source=TableSource(
            table=SystemdService, scope=lambda actor: visible_to(actor, SystemdService.system_id)
        ),
    )  # fmt: skip
