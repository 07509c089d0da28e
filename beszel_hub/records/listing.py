"""What a list request asks for: page, filter, sort, fields and expand, each within its limit."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from beszel_hub.errors import BadRequest
from beszel_hub.records.filter import parse_filter
from beszel_hub.records.nodes import Node, Path
from beszel_hub.records.paths import Resolver
from beszel_hub.records.registry import Row
from beszel_hub.records.shape import parse_fields

DEFAULT_PER_PAGE: Final = 30
MAX_PER_PAGE: Final = 1000
MAX_PAGE: Final = 10**9
MAX_SORTS: Final = 8
MAX_EXPANDS: Final = 10


class SortBy(msgspec.Struct, frozen=True):
    path: Path
    is_descending: bool


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A checked list request."""

    page: int = 1
    per_page: int = DEFAULT_PER_PAGE
    skip_total: bool = False
    where: Node | None = None
    sort: Sequence[SortBy] = ()
    fields: list[list[str]] = []
    expand: list[list[str]] = []

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a list answer."""

    page: int
    perPage: int  # noqa: N815  # on the wire
    totalItems: int  # noqa: N815  # on the wire
    totalPages: int  # noqa: N815  # on the wire
    items: list[Row]


def parse_listing(parameters: Mapping[str, str], resolver: Resolver, now_ms: int) -> Listing:
    """Raise `BadRequest` for what is not understood, not declared, or too much."""
    per_page = _read_integer(parameters, "perPage", DEFAULT_PER_PAGE)
    return Listing(
        page=min(MAX_PAGE, max(1, _read_integer(parameters, "page", 1))),
        per_page=min(MAX_PER_PAGE, per_page) if per_page > 0 else DEFAULT_PER_PAGE,
        skip_total=_read_bool(parameters, "skipTotal"),
        where=parse_filter(parameters.get("filter", ""), resolver, now_ms),
        sort=_parse_sort(parameters.get("sort", ""), resolver),
        fields=parse_fields(parameters.get("fields", "")),
        expand=parse_expand(parameters.get("expand", "")),
    )


def parse_presentation(parameters: Mapping[str, str], resolver: Resolver, now_ms: int) -> Listing:
    """Of a request's parameters those that say how one record is to look."""
    shown = {name: parameters[name] for name in ("fields", "expand") if name in parameters}
    return parse_listing(shown, resolver, now_ms)


def parse_expand(text: str) -> list[list[str]]:
    """The paths of an `expand` parameter."""
    paths = [part.strip().split(".") for part in text.split(",") if part.strip()]
    if len(paths) > MAX_EXPANDS:
        raise BadRequest(f"At most {MAX_EXPANDS} relations can be expanded.")
    return paths


def to_page(listing: Listing, total: int, items: list[Row]) -> Page:
    """`total` is -1 if it was not asked for."""
    pages = -1 if total < 0 else -(-total // listing.per_page)
    return Page(page=listing.page, perPage=listing.per_page, totalItems=total, totalPages=pages, items=items)


def _parse_sort(text: str, resolver: Resolver) -> list[SortBy]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MAX_SORTS:
        raise BadRequest(f"At most {MAX_SORTS} fields can be sorted by.")
    keys = [SortBy(resolver.resolve(part.lstrip("+-")), part.startswith("-")) for part in parts]
    if any(key.path.is_multiple for key in keys):
        raise BadRequest("What has several values cannot be sorted by.")
    return keys


def _read_integer(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    try:
        return int(text[:12])
    except ValueError as error:
        raise BadRequest(f"{name} must be a whole number.") from error


def _read_bool(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "").lower()
    if text not in {"", "0", "1", "f", "t", "false", "true"}:
        raise BadRequest(f"{name} must be true or false.")
    return text in {"1", "t", "true"}
