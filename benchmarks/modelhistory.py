"""Years of a model host in a database, as the hub's own sealing and roll-ups leave them.

As much is modelled as one chunk of each tier holds: an hour of samples, a day for the minutes, and eight days for ten
minutes and eight hours (those with a sample in thirty seconds). Other chunks are the same at another place in time, so
that nothing repeats within one.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
import zstandard
from modelhosts import ModelHost, Traits

from beszel_hub.metrics.reader import Range
from beszel_hub.metrics.rollup import fold
from beszel_hub.metrics.series import WINDOW_MS
from beszel_hub.metrics.series_codec import Entry, Sealed, seal_counted, unseal
from beszel_hub.metrics.series_columns import pack_column
from beszel_hub.metrics.summaries import Summary, join
from beszel_hub.metrics.tables import ChunkRow, HotSample, RollupRow
from beszel_hub.metrics.tier_codec import seal_tier
from beszel_hub.metrics.tiers import DAY_MS, DAY_SECONDS, EIGHT_HOURS, HOUR_MS, MINUTE, TEN_MINUTES, Tier
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import insert_system

RAW_DAYS: Final = 3
MINUTE_DAYS: Final = 90
_SPARSE_MS: Final = 30_000
SHARING_MS: Final = 4 * HOUR_MS
"""As long as one chunk of today's minutes reaches."""
HOT_SECONDS: Final = 330
"""What is not sealed yet: half a window, and the time that late samples have."""
_ROWS: Final = 50

Row = dict[str, Any]


class ModelHistory:
    """The rows of one host up to now; `rows(system_id)` are those of one system."""

    def __init__(self, traits: Traits, seed: int, days: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        self._hot_ms = now_ms // 1000 * 1000 - HOT_SECONDS * 1000
        self._today_ms = now_ms - now_ms % DAY_MS
        self._this_hour_ms = now_ms - now_ms % HOUR_MS
        self._host = ModelHost(traits, seed, DAY_SECONDS)
        self.chunks = self._make_chunks()
        self.rollups = self._make_rollups(traits, seed, days)
        self.hot = [
            {
                "instant": self._hot_ms + 1000 * second,
                "mark": 0,
                "document": msgspec.json.encode(self._host.document(second)),
            }
            for second in range(HOT_SECONDS)
        ]

    def _make_chunks(self) -> list[Row]:
        """Hours that are over, then what of this one is sealed, window by window."""
        documents = [self._host.document(second) for second in range(3600)]
        hour = seal_counted([Entry(1000 * second, document) for second, document in enumerate(documents)])
        rows = []
        begin_ms = self._today_ms - RAW_DAYS * DAY_MS
        while begin_ms < self._this_hour_ms:
            rows.append(_chunk_row(begin_ms, HOUR_MS, 3600, hour._replace(data=_samples_moved(hour.data, begin_ms))))
            begin_ms += HOUR_MS
        while begin_ms < self._hot_ms:
            length_ms = min(WINDOW_MS, self._hot_ms - begin_ms)
            taken = documents[: length_ms // 1000]
            sealed = seal_counted([Entry(begin_ms + 1000 * index, document) for index, document in enumerate(taken)])
            rows.append(_chunk_row(begin_ms, length_ms, len(taken), sealed))
            begin_ms += length_ms
        return rows

    def _make_rollups(self, traits: Traits, seed: int, days: int) -> list[Row]:
        day = self._today_ms - DAY_MS
        minutes = fold(self._host.strands(day), MINUTE.bucket_ms)
        week = self._today_ms - self._today_ms % TEN_MINUTES.span_ms
        long = ModelHost(traits, seed, TEN_MINUTES.span_ms // _SPARSE_MS).strands(week, _SPARSE_MS)
        tens = fold(long, TEN_MINUTES.bucket_ms)
        eights = {address: summary.coarsened(48) for address, summary in tens.items()}
        today = self._today_ms
        return [
            *_tier_rows(MINUTE, minutes, day, DAY_MS, Range(today - min(MINUTE_DAYS, days) * DAY_MS, today)),
            *_tier_rows(TEN_MINUTES, tens, week, TEN_MINUTES.span_ms, Range(today - days * DAY_MS, today)),
            *_tier_rows(EIGHT_HOURS, eights, week, TEN_MINUTES.span_ms, Range(today - days * DAY_MS, today)),
            *self._hours_of_today(minutes, day),
        ]

    def _hours_of_today(self, minutes: dict[str, Summary], day: int) -> list[Row]:
        rows = []
        for begin_ms in range(self._today_ms, self._this_hour_ms, SHARING_MS):
            end_ms = min(begin_ms + SHARING_MS, self._this_hour_ms)
            shift_ms = begin_ms - day - begin_ms % DAY_MS
            start, end = (begin_ms - shift_ms) // MINUTE.bucket_ms, (end_ms - shift_ms) // MINUTE.bucket_ms
            hour = {address: part for address, summary in minutes.items() if (part := summary.cut(start, end))}
            rows.append(_rollup_row(MINUTE, _shifted(hour, shift_ms // MINUTE.bucket_ms), begin_ms, end_ms))
        return rows


def fill(database: Database, histories: Sequence[ModelHistory]) -> None:
    """One system a history."""
    now_ms = time.time_ns() // 1_000_000
    for number, history in enumerate(histories):
        system_id = f"model{number:010d}"
        database.write_now(partial(_insert, system_id, now_ms, history))


def _insert(system_id: str, now_ms: int, history: ModelHistory) -> None:
    insert_system(name=f"host-{system_id[-3:]}", now_ms=now_ms, members=[], system_id=system_id, host="192.0.2.1")
    for table, rows in ((HotSample, history.hot), (ChunkRow, history.chunks), (RollupRow, history.rollups)):
        for begin in range(0, len(rows), _ROWS):
            table.insert_many([{"system_id": system_id, **row} for row in rows[begin : begin + _ROWS]]).execute()


def _tier_rows(tier: Tier, summaries: dict[str, Summary], model_ms: int, length_ms: int, span: Range) -> list[Row]:
    """A chunk for each span of the tier that a range touches, made of a model that begins at `model_ms`."""
    rows: list[Row] = []
    whole: tuple[int, Row] | None = None
    begin_ms = span.from_ms
    while begin_ms < span.to_ms:
        end_ms = min(begin_ms - begin_ms % tier.span_ms + tier.span_ms, span.to_ms)
        if end_ms - begin_ms == tier.span_ms and whole is not None:
            made_ms, row = whole
            data = _buckets_moved(row["data"], (begin_ms - made_ms) // tier.bucket_ms)
            rows.append({**row, "first": begin_ms, "last": end_ms, "data": data})
        else:
            rows.append(_modelled_row(tier, summaries, model_ms, length_ms, Range(begin_ms, end_ms)))
            if end_ms - begin_ms == tier.span_ms:
                whole = begin_ms, rows[-1]
        begin_ms = end_ms
    return rows


def _modelled_row(tier: Tier, summaries: dict[str, Summary], model_ms: int, length_ms: int, span: Range) -> Row:
    begins = range(span.from_ms - (span.from_ms - model_ms) % length_ms, span.to_ms, length_ms)
    parts = [_shifted(summaries, (begin - model_ms) // tier.bucket_ms) for begin in begins]
    start, end = span.from_ms // tier.bucket_ms, span.to_ms // tier.bucket_ms
    joined = {address: join(part[address] for part in parts) for address in summaries}
    cut = {address: part for address, summary in joined.items() if summary and (part := summary.cut(start, end))}
    return _rollup_row(tier, cut, span.from_ms, span.to_ms)


def _buckets_moved(data: bytes, buckets: int) -> bytes:
    """The same chunk of a tier at another place in time."""
    body = msgspec.msgpack.decode(zstandard.decompress(data[4:]))
    return data[:4] + _compress({**body, "start": body["start"] + buckets})


def _samples_moved(data: bytes, shift_ms: int) -> bytes:
    """The same samples at another time."""
    body = msgspec.msgpack.decode(zstandard.decompress(data[4:]))
    instants = [instant + shift_ms for instant in unseal(data).instants_ms]
    return data[:4] + _compress({**body, "instants": pack_column(instants)})


def _compress(body: Any) -> bytes:
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=True)
    return compressor.compress(msgspec.msgpack.encode(body))


def _shifted(summaries: dict[str, Summary], buckets: int) -> dict[str, Summary]:
    return {address: replace(summary, start=summary.start + buckets) for address, summary in summaries.items()}


def _rollup_row(tier: Tier, summaries: dict[str, Summary], first: int, last: int) -> Row:
    sealed = seal_tier(summaries)
    return {"tier": tier.seconds, "first": first, "last": last, "numbers": sealed.numbers, "data": sealed.data}


def _chunk_row(begin_ms: int, length_ms: int, samples: int, sealed: Sealed) -> Row:
    return {
        "first": begin_ms, "last": begin_ms + length_ms - 1000, "samples": samples, "readings": sealed.readings,
        "data": sealed.data,
    }  # fmt: skip
