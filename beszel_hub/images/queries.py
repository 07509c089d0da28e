"""Reading and writing what registries said. Every function runs inside `Database.read` or `Database.write`."""

from collections.abc import Iterable, Sequence

from beszel_hub.images.schedule import Look
from beszel_hub.images.tables import ImageDigestRow

_ROWS = 200


def load_looks() -> dict[str, Look]:
    """By reference."""
    return {row.reference: Look(row.digest, row.told, row.due) for row in ImageDigestRow.select()}


def save_looks(looks: Iterable[tuple[str, Look]]) -> None:
    for reference, look in looks:
        values = {"digest": look.digest, "told": look.told_ms, "due": look.due_ms}
        insert = ImageDigestRow.insert(reference=reference, **values)
        insert.on_conflict(conflict_target=[ImageDigestRow.reference], update=values).execute()


def remove_looks(references: Sequence[str]) -> None:
    for start in range(0, len(references), _ROWS):
        some = references[start : start + _ROWS]
        ImageDigestRow.delete().where(ImageDigestRow.reference.in_(some)).execute()
