"""What holds for every filter: the parser refuses or understands, and both evaluators agree."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path as FilePath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beszel_hub.errors import BadRequest
from beszel_hub.records.filter import parse_filter
from beszel_hub.records.like import matches, parse_pattern, to_sql
from beszel_hub.records.listing import parse_listing
from beszel_hub.records.nodes import Comparison, Group, Node, Path
from beszel_hub.records.paths import Resolver
from beszel_hub.records.projection import list_projected
from beszel_hub.records.registry import ProjectedSource, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.sql import SqlCompiler
from beszel_hub.store.database import Database
from beszel_hub.store.tables import bound_database
from tests.support import shelf
from tests.support.shelf import ADMIN, make_registry, open_library

NOW_MS = 1_700_000_000_123
TEXTS = st.text(alphabet="abAB%_\\'\"é 0", max_size=6)
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.floats(-3, 3, allow_nan=False).map(lambda value: round(value, 3)),
    st.integers(-(2**70), 2**70),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2).map(lambda value: round(value, 2)) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
BOOKS = st.fixed_dictionaries({
    "title": TEXTS | st.none(),
    "pages": st.integers(-3, 3) | st.none(),
    "price": st.floats(-3, 3).map(lambda value: round(value, 2)) | st.none(),
    "inPrint": st.booleans() | st.none(),
    "printed": st.integers(0, 5).map(lambda day: day * 43_200_000 + 7) | st.none(),
    "facts": JSON,
    "tags": st.lists(TEXTS, max_size=3) | st.none(),
    "publisher": st.sampled_from(["ann", "bob"]) | st.none(),
    "created": st.integers(0, 9),
    "authors": st.lists(st.sampled_from(["ann", "bob"]), max_size=2, unique=True),
})  # fmt: skip
PATHS = st.sampled_from([
    "id", "title", "pages", "price", "inPrint", "printed", "facts", "facts.a", "facts.b.a", "facts.0", "tags",
    "publisher", "publisher.name", "authors", "authors.id", "authors.name", "created",
])  # fmt: skip
LITERALS = st.one_of(
    TEXTS.map(lambda text: "'" + text.replace("'", "\\'") + "'"),
    NUMBERS.map(lambda number: f"{number:.3f}" if isinstance(number, float) else str(number)),
    st.sampled_from(["true", "false", "null", "@now", "'1970-01-02'", "'1970-01-01 12:00:00.007Z'", "''"]),
)
OPERATORS = st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "~", "!~"]).flatmap(
    lambda operator: st.sampled_from([operator, f"?{operator}"])
)
COMPARISONS = st.tuples(PATHS | LITERALS, OPERATORS, PATHS | LITERALS).map(" ".join)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    max_leaves=4,
)

FRAGMENTS = st.sampled_from(["title", "pages", "(", ")", "&&", "||", "?=", "~", "'", '"', "\\", "@now", "1", "-", ""])


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    authors: list[Row] = [{"id": "ann", "name": "Ann", "email": ""}, {"id": "bob", "name": "b_b", "email": ""}]
    with (
        tempfile.TemporaryDirectory() as directory,
        open_library(FilePath(directory) / "data.db", [], authors) as opened,
    ):
        yield opened


@given(st.text(max_size=60) | st.lists(FRAGMENTS).map(" ".join))
@settings(max_examples=400)
def test_any_text_is_understood_or_refused(text: str) -> None:
    registry = make_registry()
    with suppress(BadRequest):
        parse_filter(text, Resolver(registry, registry["books"], ADMIN), NOW_MS)


@given(text=FILTERS | st.lists(FRAGMENTS | TEXTS).map(" ".join), marker=st.sampled_from(["zq7", "zq7'; --", "zq7%"]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filter_touches_declared_fields_only_and_is_bound(database: Database, text: str, marker: str) -> None:
    registry = make_registry()
    resolver = Resolver(registry, registry["books"], ADMIN)
    quoted = "'" + marker.replace("'", "\\'") + "'"
    marked = f"({text}) || title = {quoted} || title ~ 'zq7' || facts.zq8 = 'zq7'"
    try:
        node = parse_filter(marked, resolver, NOW_MS)
    except BadRequest:
        return
    assert node is not None
    declared = {field for collection in registry.collections.values() for field in collection.fields}
    paths = list(_paths(node))
    assert {field for path in paths for field in (*path.relations, path.field)} <= declared
    assert not any(field.is_hidden for path in paths for field in (*path.relations, path.field))
    compiler = SqlCompiler(registry, shelf.Book)
    query, values = database.read_now(lambda: shelf.Book.select().where(compiler.condition(node)).sql())
    assert "zq7" not in query
    assert "zq8" not in query
    assert marker in values


def _paths(node: Node) -> Iterator[Path]:
    """Every path of a tree."""
    if isinstance(node, Group):
        for member in node.members:
            yield from _paths(member)
    elif isinstance(node, Comparison):
        yield from (operand for operand in (node.left, node.right) if isinstance(operand, Path))


@given(books=st.lists(BOOKS, max_size=4), text=FILTERS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_evaluators_agree(database: Database, books: list[Row], text: str) -> None:
    rows = [{**book, "id": f"b{index}"} for index, book in enumerate(books)]
    registry = make_registry(rows)
    collection, shelf = registry["books"], registry["shelf"]
    assert isinstance(collection.source, TableSource)
    assert isinstance(shelf.source, ProjectedSource)
    try:
        by_sql = parse_listing({"filter": text, "perPage": "9"}, Resolver(registry, collection, ADMIN), NOW_MS)
        in_memory = parse_listing({"filter": text, "perPage": "9"}, Resolver(registry, shelf, ADMIN), NOW_MS)
        _, expected = asyncio.run(list_projected(database, registry, shelf.source, ADMIN, in_memory))
    except BadRequest:
        return
    _refill(database, rows)
    table = TableRows(registry, collection, collection.source)
    _, found = database.read_now(lambda: table.page(ADMIN, by_sql))
    assert {row["id"] for row in found} == {row["id"] for row in expected}, text


@pytest.mark.sqlite
@given(pattern=TEXTS, text=TEXTS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_pattern_matches_as_sqlite_does(database: Database, pattern: str, text: str) -> None:
    parsed = parse_pattern(pattern)
    query = "SELECT ? LIKE ? ESCAPE '\\'"
    (row,) = database.read_now(lambda: bound_database().execute_sql(query, (text, to_sql(parsed))).fetchall())
    assert matches(parsed, text) is bool(row[0])


def test_pattern_of_many_wildcards_is_quick() -> None:
    assert not matches(parse_pattern("%a" * 800 + "%b"), "a" * 3000)


def _refill(database: Database, rows: list[Row]) -> None:
    def write() -> None:
        for table in (shelf.Authorship, shelf.Book):
            table.delete().execute()
        shelf.insert_books(rows)

    database.write_now(write)
