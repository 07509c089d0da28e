"""One connection's way into ingest: dates its records, and decides for each what is kept of it."""

from collections.abc import Callable
from typing import Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.metrics.inbox import Arrival, Inbox
from beszel_hub.metrics.ingest import Ingest, LiveSample
from beszel_hub.metrics.marks import mark_of
from beszel_hub.metrics.skew import BootAnchor, Dating, adjust_anchor, date_earlier_boot, date_record, drop_anchor
from beszel_protocol.messages import Event, Gap, Record, Sample
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import parse_timestamp

_encoder: Final = msgspec.json.Encoder()


class Intake:
    """Records of a paused system are consumed and not kept; so are those that no one can read."""

    def __init__(
        self, ingest: Ingest, inbox: Inbox, clock: Clock, *, boot_id: str, boot_ms: int, is_paused: Callable[[], bool],
    ) -> None:  # fmt: skip
        """`boot_id` and `boot_ms` are those of the enrolment."""
        self.invalid_records = 0
        self.skew_ms: int | None = None
        """How far the agent's wall clock is ahead, if that is too far to be believed."""
        self._ingest = ingest
        self._inbox = inbox
        self._clock = clock
        self._is_paused = is_paused
        self._boot_id = boot_id
        self._anchor: BootAnchor = drop_anchor(boot_ms, clock())
        self._newest_ms = 0

    async def take(self, record: Record, *, is_live: bool, boot_id: str = "") -> None:
        """Queue a record.

        `is_live` says that it was just made, which backfill was not; `boot_id` in which boot of the host, if it was not
        the one of the enrolment.
        """
        system_id = self._inbox.ledger.system_id
        now_ms = self._clock()
        for listener in self._ingest.on_record:
            listener(system_id)
        if self._is_paused():
            await self._inbox.put(Arrival(record.sequence))
            return
        try:
            is_earlier = boot_id not in {"", self._boot_id}
            arrival, metrics = self._admit(record, now_ms, is_live=is_live, is_earlier=is_earlier)
        except ValueError:
            await self.take_invalid(record.sequence)
            return
        if metrics is not None and is_live and arrival.instant_ms > self._newest_ms:
            self._newest_ms = arrival.instant_ms
            sample = LiveSample(system_id, arrival.instant_ms, now_ms, metrics)
            for tell in self._ingest.on_sample:
                tell(sample)
        if isinstance(record, Event) and record.sequence not in self._inbox.ledger.stored:
            for tell_event in self._ingest.on_event:
                tell_event(system_id, arrival.instant_ms, record)
        await self._inbox.put(arrival)

    async def take_invalid(self, sequence: int) -> None:
        """Consume a record that cannot be read, so that the agent does not send it for ever."""
        self.invalid_records += 1
        await self._inbox.put(Arrival(sequence))

    def _admit(self, record: Record, now_ms: int, *, is_live: bool, is_earlier: bool) -> tuple[Arrival, Metrics | None]:
        """Raise ValueError if the record's time stamp is none."""
        if isinstance(record, Gap):
            instant_ms = min(max(parse_timestamp(record.from_), parse_timestamp(record.to)), now_ms)
            return Arrival(record.sequence, instant_ms, happening=_encoder.encode(record)), None
        if is_live:
            self._anchor = adjust_anchor(self._anchor, record.boot_ms, now_ms)
        dating = self._date(record, now_ms, is_earlier=is_earlier)
        mark = mark_of(dating)
        if isinstance(record, Event):
            return Arrival(record.sequence, dating.instant_ms, mark, happening=_encoder.encode(record)), None
        if is_live:
            self.skew_ms = dating.skew_ms
        document = _encoder.encode(record.metrics)
        return Arrival(record.sequence, dating.instant_ms, mark, document), record.metrics

    def _date(self, record: Sample | Event, now_ms: int, *, is_earlier: bool) -> Dating:
        timestamp_ms = parse_timestamp(record.timestamp)
        if is_earlier:
            return date_earlier_boot(timestamp_ms, self._anchor, hub_now_ms=now_ms)
        return date_record(timestamp_ms, record.boot_ms, self._anchor, hub_now_ms=now_ms)
