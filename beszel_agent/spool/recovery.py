"""What an earlier process left of its spool: whole segments, a torn tail, damage, or somebody else's files."""

import errno
import logging
import os
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from beszel_agent.errors import DataDirError, SpoolDamaged, SpoolTooNew, describe
from beszel_agent.spool.segments import SUFFIX, Scan, Segment, scan_segment
from beszel_protocol.handshake import encode_bytes
from beszel_protocol.ranges import SequenceRanges

SPOOL_DIR: Final = "spool"
"""In the data directory."""

JUMP: Final = 1 << 20
"""How many sequences are left out where those given last may be lost: more than were ever given without a sync."""

_ID_BYTES: Final = 16
_MARKER: Final = "steady"
_MAX_MARKER_BYTES: Final = 256
_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIR: Final = 0o700

log = logging.getLogger(__name__)


class Recovered(NamedTuple):
    spool_id: str
    segments: list[Segment]
    """Oldest first; their sequences do not overlap."""
    stored: SequenceRanges
    """What need not be sent between the first and the last sequence, because it is stored or never was there."""
    losses: list[tuple[int, int]]
    """The times of which records were damaged, by the wall clock."""
    last_sequence: int
    """None above it was ever given out."""
    may_go_on: bool
    """Whether the last segment can be appended to."""


def make_id() -> str:
    return encode_bytes(os.urandom(_ID_BYTES))


def recover(directory: Path, boot_id: str, now_ms: int) -> Recovered:
    """Make the directory if need be, and take stock. Raise OSError if it cannot be written to."""
    directory.mkdir(_PRIVATE_DIR, parents=True, exist_ok=True)
    was_steady = _read_marker(directory) == boot_id != ""
    # Also the proof that something can be changed here: a sequence that cannot be written down must not be given out.
    _remove_marker(directory)
    try:
        found = [_scan(path) for path in sorted(directory.glob(f"*{SUFFIX}"))]
    except SpoolTooNew as error:
        _set_aside(directory, str(error))
        found = []
    found = _without_strangers(found)
    return _take_stock(found, boot_id, now_ms, was_steady=was_steady)


def write_marker(directory: Path, boot_id: str) -> None:
    """From now on every sequence that is given out in this boot is in a segment before anybody else hears of it."""
    descriptor = os.open(directory / _MARKER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        os.write(descriptor, boot_id.encode())
    finally:
        os.close(descriptor)


def remove_marker(directory: Path) -> None:
    """That no longer holds. Never raises: who cannot do this cannot write segments after a restart either."""
    try:
        _remove_marker(directory)
    except OSError as error:
        log.debug("%s: %s", directory, describe(error))


def discard_spool(directory: Path) -> None:
    """Forget everything, as when the host becomes another one. Raise `DataDirError`."""
    try:
        if directory.exists():
            shutil.rmtree(directory)
    except OSError as error:
        raise DataDirError(f"cannot remove {directory}: {describe(error)}") from error


class _Found(NamedTuple):
    path: Path
    scan: Scan | None
    """None if not even its header can be read."""


def _scan(path: Path) -> _Found:
    """Raise `SpoolTooNew`."""
    try:
        return _Found(path, scan_segment(path))
    except (SpoolDamaged, OSError) as error:
        log.warning("spool: %s is damaged: %s", path.name, describe(error))
        return _Found(path, None)


def _without_strangers(found: Sequence[_Found]) -> list[_Found]:
    """Segments of another spool or with sequences that others have too, copied here by somebody, count as damaged."""
    scans = [item.scan for item in found if item.scan is not None]
    if not scans:
        return list(found)
    spool_id = scans[-1].segment.header.spool_id
    kept: list[_Found] = []
    last = 0
    for item in found:
        scan = item.scan
        if scan is not None and (scan.segment.header.spool_id != spool_id or scan.segment.first <= last):
            log.warning("spool: %s does not belong here", item.path.name)
            scan = None
        if scan is not None:
            last = max(last, scan.segment.last)
        kept.append(_Found(item.path, scan))
    return kept


def _take_stock(found: Sequence[_Found], boot_id: str, now_ms: int, *, was_steady: bool) -> Recovered:
    scans = [item.scan for item in found if item.scan is not None]
    last_is_whole = bool(found) and found[-1].scan is not None
    losses = _losses(found, now_ms)
    for item in found:
        _mend(item)
    segments = [scan.segment for scan in scans]
    if not segments:
        return Recovered(make_id(), [], SequenceRanges(), losses, 0, may_go_on=False)
    _shift(segments, boot_id)
    last_sequence = max(scan.lost.sequence if scan.lost else scan.segment.last for scan in scans)
    goes_on = was_steady and last_is_whole and segments[-1].header.boot_id == boot_id
    if not goes_on:
        last_sequence += JUMP
    return Recovered(
        spool_id=segments[-1].header.spool_id,
        segments=segments,
        stored=_not_to_be_sent(scans, last_sequence),
        losses=losses,
        last_sequence=last_sequence,
        may_go_on=goes_on and scans[-1].lost is None,
    )


def _losses(found: Sequence[_Found], now_ms: int) -> list[tuple[int, int]]:
    """A torn tail is no loss: nobody has heard of what was being written when the process ended."""
    losses: list[tuple[int, int]] = []
    since_ms: int | None = None
    for index, (_, scan) in enumerate(found):
        if scan is None:
            since_ms = since_ms or _end_before(found, index)
            continue
        if since_ms is not None:
            losses.append((since_ms, scan.segment.header.instant_ms))
            since_ms = None
        if scan.lost is not None:
            losses.append((scan.segment.last_instant_ms, scan.lost.instant_ms))
        elif scan.is_torn and index < len(found) - 1:
            since_ms = scan.segment.last_instant_ms
    if since_ms is not None:
        losses.append((since_ms, now_ms))
    return losses


def _end_before(found: Sequence[_Found], index: int) -> int:
    """When the records of a segment that cannot be read may have begun, as far as the others tell."""
    for _, scan in reversed(found[:index]):
        if scan is not None:
            return scan.segment.last_instant_ms
    return int(found[index].path.stat().st_mtime * 1000)


def _mend(item: _Found) -> None:
    """So that the next process does not find the same damage again."""
    if item.scan is None:
        # For whoever wants to know what happened; one is enough.
        item.path.replace(item.path.with_name("damaged"))
    elif item.scan.is_torn:
        os.truncate(item.path, item.scan.segment.size_bytes)


def _not_to_be_sent(scans: Sequence[Scan], last_sequence: int) -> SequenceRanges:
    stored = SequenceRanges()
    for scan in scans:
        for first, last in (*scan.stored, *scan.holes):
            if first <= last_sequence:
                stored.add_range(first, min(last, last_sequence))
    for before, after in pairwise(scan.segment for scan in scans):
        if after.first > before.last + 1:
            stored.add_range(before.last + 1, after.first - 1)
    if last_sequence > scans[-1].segment.last:
        stored.add_range(scans[-1].segment.last + 1, last_sequence)
    return stored


def _shift(segments: Sequence[Segment], boot_id: str) -> None:
    shift_ms = 0
    for segment in reversed(segments):
        if segment.header.boot_id != boot_id:
            boot_id = segment.header.boot_id
            shift_ms -= segment.last_boot_ms
        segment.shift_ms = shift_ms


def _set_aside(directory: Path, why: str) -> None:
    """One such directory is kept; an older one has waited long enough."""
    aside = directory.with_name(directory.name + ".aside")
    log.warning("the spool in %s %s; it is set aside as %s and a new one begun", directory, why, aside.name)
    if aside.exists():
        shutil.rmtree(aside)
    directory.rename(aside)
    directory.mkdir(_PRIVATE_DIR)


def _read_marker(directory: Path) -> str | None:
    try:
        with (directory / _MARKER).open("rb") as file:
            return file.read(_MAX_MARKER_BYTES).decode("ascii", "replace")
    except OSError:
        return None


def _remove_marker(directory: Path) -> None:
    """Raise OSError, also where there is no marker but one could not be removed."""
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "cannot be written to", str(directory))
    (directory / _MARKER).unlink(missing_ok=True)
