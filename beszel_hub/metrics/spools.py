"""Which sequences of which spool are stored, in the database. The functions run inside `Database.read` or `.write`."""

from collections.abc import Sequence

from beszel_hub.metrics.inbox import Arrival, Ledger, bounded
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tables import Happening, SpoolRow
from beszel_hub.store.bulk import execute_many
from beszel_protocol.ranges import SequenceRanges


def load_ledger(system_id: str, spool_id: str) -> Ledger:
    row = SpoolRow.get_or_none((SpoolRow.system_id == system_id) & (SpoolRow.spool_id == spool_id))
    stored = [] if row is None else row.stored
    return Ledger(system_id, spool_id, SequenceRanges((first, last) for first, last in stored))


def store_arrivals(batch: Sequence[tuple[Ledger, Sequence[Arrival]]], now_ms: int) -> list[SequenceRanges]:
    """Store what is new of each spool's records together with the sequences, and return the sequences now stored.

    The ledgers are left alone: they change once the transaction is committed.
    """
    samples: list[NewSample] = []
    happenings: list[dict[str, object]] = []
    all_stored: list[SequenceRanges] = []
    for ledger, arrivals in batch:
        stored = SequenceRanges(_stored_of(ledger))
        for arrival in arrivals:
            if arrival.sequence in stored:
                continue
            stored.add(arrival.sequence)
            if arrival.document is not None:
                samples.append(NewSample(ledger.system_id, arrival.instant_ms, arrival.mark, arrival.document))
            if arrival.happening is not None:
                happenings.append(
                    {"system_id": ledger.system_id, "instant": arrival.instant_ms, "body": arrival.happening.decode()}
                )
        all_stored.append(bounded(stored))
    insert_samples(samples)
    if happenings:
        Happening.insert_many(happenings).execute()
    _save_ledgers([ledger for ledger, _ in batch], all_stored, now_ms)
    return all_stored


def _stored_of(ledger: Ledger) -> SequenceRanges:
    if not ledger.is_doubtful:
        return ledger.stored
    return load_ledger(ledger.system_id, ledger.spool_id).stored


def _save_ledgers(ledgers: Sequence[Ledger], all_stored: Sequence[SequenceRanges], now_ms: int) -> None:
    rows = [
        (ledger.system_id, ledger.spool_id, SpoolRow.stored.db_value(list(stored)), now_ms)
        for ledger, stored in zip(ledgers, all_stored, strict=True)
    ]
    fields = [SpoolRow.system_id, SpoolRow.spool_id, SpoolRow.stored, SpoolRow.updated]
    execute_many(
        SpoolRow.insert_many(rows[:1], fields=fields).on_conflict(
            conflict_target=fields[:2], preserve=[SpoolRow.stored, SpoolRow.updated]
        ),
        rows,
    )
