"""The action `disk_detail`: everything that is known of one disk or of all."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from beszel_agent.smart.disks import Disk, SmartDisks
from beszel_protocol.disks import DiskDetail, DiskDetails


async def describe_disks(
    disks: SmartDisks | None, params: Mapping[str, Any], clock: Callable[[], float]
) -> DiskDetails:
    """Of the disk that `disk` names (a serial number, path or kernel name), else of all.

    `refresh` asks them now; a disk that sleeps is left asleep all the same. `clock` is that of `disks`.
    """
    if disks is None:
        return DiskDetails(disks=[], reason="no SMART is read here; the action `collectors` says why")
    named = params.get("disk")
    key = named if isinstance(named, str) else None
    if params.get("refresh") is True:
        await asyncio.to_thread(_refresh, disks, key)
    found = disks.disks()
    if key is not None:
        one = disks.find(key)
        found = [] if one is None else [one]
    reason = None if found else "no such disk"
    return DiskDetails(disks=[_describe(disk, clock()) for disk in found], reason=reason)


def _describe(disk: Disk, now: float) -> DiskDetail:
    return DiskDetail(
        key=disk.key,
        device=disk.device.path,
        asleep=disk.asleep,
        age_seconds=None if disk.read_at is None else round(now - disk.read_at, 1),
        problem=disk.problem,
        reading=disk.reading,
    )


def _refresh(disks: SmartDisks, key: str | None) -> None:
    if key is not None:
        disks.read_now(key)
        return
    disks.refresh(rescan=True)
    for disk in disks.disks():
        disks.read_now(disk.key)
