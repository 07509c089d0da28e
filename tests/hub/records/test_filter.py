"""One table of filters, held against both evaluators: SQL over a table, and rows in memory."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from beszel_hub.errors import BadRequest
from beszel_hub.records.filter import MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH, parse_filter
from beszel_hub.records.listing import parse_listing
from beszel_hub.records.memory import push_down
from beszel_hub.records.paths import Resolver
from beszel_hub.records.projection import list_projected
from beszel_hub.records.registry import ProjectedSource, Registry, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.store.database import Database
from tests.support.shelf import ADMIN, READER, make_registry, open_library

NOW_MS = 1_700_000_000_123  # Tuesday, 2023-11-14 22:13:20.123Z
DAY_MS = 86_400_000

AUTHORS: list[Row] = [
    {"id": "ann", "name": "Ann", "email": "ann@example.org"},
    {"id": "bob", "name": "Bob O'Hara", "email": "bob@example.org"},
    {"id": "cyd", "name": "", "email": ""},
]
BOOKS: list[Row] = [
    {
        "id": "open1", "title": "Dune", "pages": 412, "price": 9.5, "inPrint": True, "printed": NOW_MS,
        "facts": {"cpu": 80, "who": "Paul", "deep": {"a": [1, "two", None]}, "flag": True, "none": None},
        "tags": ["sf", "Desert"], "publisher": "ann", "authors": ["ann", "bob"], "secret": "s1", "created": 1000,
    },
    {
        "id": "open2", "title": "100% Wool_x", "pages": 80, "price": 80.0, "inPrint": False,
        "printed": NOW_MS - DAY_MS, "facts": {"cpu": "80", "flag": False}, "tags": [], "publisher": "bob",
        "authors": ["bob"], "secret": "s2", "created": 2000,
    },
    {
        "id": "open3", "title": "", "pages": None, "price": None, "inPrint": None, "printed": None, "facts": None,
        "tags": None, "publisher": None, "authors": [], "secret": None, "created": 3000,
    },
    {
        "id": "hid4", "title": "dune messiah", "pages": 0, "price": -1.25, "inPrint": True, "printed": 0,
        "facts": {"cpu": 79.5}, "tags": ["sf"], "publisher": "cyd", "authors": ["cyd", "ann"], "secret": "s4",
        "created": 4000,
    },
]  # fmt: skip

CASES = [
    ("title = 'Dune'", "1"),
    ("title='Dune'", "1"),
    ('title = "Dune"', "1"),
    ("'Dune' = title", "1"),
    ("title != 'Dune'", "234"),
    ("title = ''", "3"),
    ("title != ''", "124"),
    ("title = null", "3"),
    ("title > 'Dune'", "4"),
    ("title >= 'Dune'", "14"),
    ("title < ''", ""),
    ("title ~ 'dune'", "14"),
    ("title ~ 'DUNE'", "14"),
    ("title !~ 'dune'", "23"),
    ("title ~ 'dune%'", "14"),
    ("title ~ '%une'", "1"),
    ("title ~ 'd_ne%'", "14"),
    ("title ~ '100\\% %'", "2"),
    ("title ~ '\\%'", "2"),
    ("title ~ '_x'", "2"),
    ("title ~ 'l_x'", "2"),
    ("title ~ 'o_l'", ""),
    ("title ~ ''", "1234"),
    ("title !~ ''", ""),
    ("'the Dune of Arrakis' ~ title", "13"),
    ("pages = 412", "1"),
    ("pages = '412'", "1"),
    ("pages = 412.0", "1"),
    ("pages > 79", "12"),
    ("pages >= 80", "12"),
    ("80 <= pages", "12"),
    ("pages < 80", "4"),
    ("pages != 80", "134"),
    ("pages = null", "3"),
    ("pages != null", "124"),
    ("pages > null", ""),
    ("pages ~ '8'", "2"),
    ("pages = price", "23"),
    ("pages > price", "14"),
    ("price < 0", "4"),
    ("price = -1.25", "4"),
    ("price ~ '.5'", "1"),
    ("price ~ '80.0'", "2"),
    ("price < 99999999999999999999", "124"),
    ("inPrint = true", "14"),
    ("inPrint = false", "2"),
    ("inPrint != true", "23"),
    ("inPrint = 1", "14"),
    ("inPrint = 'true'", "14"),
    ("printed = @now", "1"),
    ("printed < @now", "24"),
    ("printed >= @todayStart", "1"),
    ("printed > @yesterday", "1"),
    ("printed = @yesterday", "2"),
    ("printed < '2023-11-14'", "24"),
    ("printed >= '2023-11-14'", "1"),
    ("printed = '2023-11-14 22:13:20.123Z'", "1"),
    ("printed = '2023-11-14T22:13:20.123Z'", "1"),
    ("printed = '2023-11-14T23:13:20.123+01:00'", "1"),
    ("printed = ''", "3"),
    ("printed != ''", "124"),
    ("printed ~ '2023-11-14 22'", "1"),
    ("printed ~ '.123Z'", "12"),
    ("printed ~ '1970-01-01 00:00:00.000Z'", "4"),
    ("printed !~ '2023'", "34"),
    ("facts.cpu > 79", "124"),
    ("facts.cpu = 80", "1"),
    ("facts.cpu = '80'", "2"),
    ("facts.cpu < 80", "4"),
    ("facts.cpu != 80", "234"),
    ("facts.cpu = null", "3"),
    ("facts.cpu ~ '80'", "12"),
    ("facts.who = 'Paul'", "1"),
    ("facts.who != 'Paul'", "234"),
    ("facts.flag = true", "1"),
    ("facts.flag = false", "2"),
    ("facts.none = null", "1234"),
    ("facts.deep.a.1 = 'two'", "1"),
    ("facts.deep.a.0 = 1", "1"),
    ("facts.deep.a.9 = null", "1234"),
    ("facts.deep.0 = null", "1234"),
    ("facts.deep.a = '[1,\"two\",null]'", "1"),
    ("facts ~ 'Paul'", "1"),
    ("facts = null", "3"),
    ("facts.cpu > pages", "24"),
    ("facts.cpu = pages", "3"),
    ("facts.who ~ title", "3"),
    ("tags ?= 'sf'", "14"),
    ("tags = 'sf'", "4"),
    ("tags ?!= 'sf'", "123"),
    ("tags != 'sf'", "23"),
    ("tags = ''", "23"),
    ("tags ~ 'desert'", "1"),
    ("tags !~ 'desert'", "234"),
    ("tags ?~ 's'", "14"),
    ("authors ?= 'ann'", "14"),
    ("authors = 'bob'", "2"),
    ("authors.id ?= 'bob'", "12"),
    ("authors.id != 'ann'", "23"),
    ("authors ~ 'an'", "14"),
    ("publisher = 'bob'", "2"),
    ("publisher.id = 'bob'", "2"),
    ("publisher = ''", "3"),
    ("title = 'Dune' && pages > 5", "1"),
    ("title = 'x' || pages > 5", "12"),
    ("title = 'x' || pages > 5 && price > 50", "2"),
    ("(title = 'x' || pages > 5) && price < 50", "1"),
    ("title = 'Dune' || title = '' && pages = null", "13"),
    ("((((pages = 80))))", "2"),
    ("1 = 1", "1234"),
    ("1 > 2", ""),
    ("'a' = 'a' && true = 1", "1234"),
    ("null = null", "1234"),
    ("@year = 2023 && @month = 11 && @day = 14", "1234"),
    ("@weekday = 2 && @hour = 22 && @minute = 13 && @second = 20", "1234"),
    ("@todayEnd = '2023-11-14 23:59:59.999Z'", "1234"),
    ("@monthStart = '2023-11-01 00:00:00.000Z' && @monthEnd = '2023-11-30 23:59:59.999Z'", "1234"),
    ("@yearStart = '2023-01-01 00:00:00.000Z' && @yearEnd = '2023-12-31 23:59:59.999Z'", "1234"),
    ("@tomorrow = '2023-11-15 22:13:20.123Z'", "1234"),
    ("id ~ 'open'", "123"),
    ("publisher.name ~ 'o\\'hara'", "2"),
    ('publisher.name ~ "O\'Hara"', "2"),
    ("publisher.name = 'Ann'", "1"),
    ("publisher.name != 'Ann'", "234"),
    ("publisher.name = ''", "34"),
    ("publisher.books ?= 'open1'", "12"),
    ("authors.name ?~ 'ann'", "14"),
    ("authors.name ~ 'ann'", ""),
    ("authors.name !~ 'zzz'", "1234"),
    ("authors.books.title ?= 'Dune'", "124"),
    ("publisher.email ~ 'bob@'", "2"),
]
"""Filter, and the last characters of the ids of the books that fulfil it."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_library(tmp_path_factory.mktemp("library") / "data.db", BOOKS, AUTHORS) as database:
        yield database


def _by_sql(database: Database, registry: Registry, text: str) -> str:
    collection = registry["books"]
    assert isinstance(collection.source, TableSource)
    rows = TableRows(registry, collection, collection.source)
    listing = parse_listing({"filter": text}, Resolver(registry, collection, ADMIN), NOW_MS)
    total, found = database.read_now(lambda: rows.page(ADMIN, listing))
    assert total == len(found)
    return "".join(sorted(row["id"][-1] for row in found))


def _in_memory(database: Database, registry: Registry, text: str) -> str:
    collection = registry["shelf"]
    source = collection.source
    assert isinstance(source, ProjectedSource)
    listing = parse_listing({"filter": text}, Resolver(registry, collection, ADMIN), NOW_MS)
    _, found = asyncio.run(list_projected(database, registry, source, ADMIN, listing))
    return "".join(sorted(row["id"][-1] for row in found))


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_filter_in_sql(library: Database, text: str, expected: str) -> None:
    assert _by_sql(library, make_registry(), text) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_filter_in_memory(library: Database, text: str, expected: str) -> None:
    assert _in_memory(library, make_registry(BOOKS), text) == expected


INVALID = [
    "title", "title =", "= 'x'", "title = 'x", "title = x", "title == 'x'", "title = 'x' &&", "(title = 'x'",
    "title = 'x')", "title = 'x' title = 'y'", "title & 'x'", "()", "title ??= 'x'", "nope = 1", "title.x = 1",
    "pages.x = 1", "pages = 'many'", "inPrint = 2", "inPrint = 'maybe'", "printed = 'soon'", "printed = 5",
    "printed = '2023-99-99'", "@nope = 1", "@request.auth.id = 'x'", "@collection.books.id = 'x'", "secret = 's1'",
    "secret ~ 's'", "publisher.nope = 1", "publisher.name.x = 1", "authors.secret = 1", "authors.books.secret ?= 's1'",
    "title = 'a' ; drop table books", "title = 'a' -- x", "facts.\"a\" = 1", "facts.a.b.c.d.e.f.g.h.i = 1",
    "pages = inPrint", "title = pages", "authors = tags", "'x' ~ tags", "title = 1e5", "title = 'x'\x00",
    "facts..a = 1", "facts. = 1", "publisher.books.authors.books.title = 'x'", "1" * 50 + " = 1",
]  # fmt: skip


@pytest.mark.parametrize("text", INVALID)
def test_invalid_filter_is_refused(text: str) -> None:
    registry = make_registry()
    with pytest.raises(BadRequest):
        parse_filter(text, Resolver(registry, registry["books"], ADMIN), NOW_MS)


def test_private_fields_cannot_be_guessed_through_a_relation() -> None:
    registry = make_registry()
    books, authors = registry["books"], registry["authors"]
    with pytest.raises(BadRequest):
        parse_filter("publisher.email ~ 'b%'", Resolver(registry, books, READER), NOW_MS)
    with pytest.raises(BadRequest):
        parse_listing({"sort": "publisher.email"}, Resolver(registry, books, READER), NOW_MS)
    assert parse_filter("email ~ 'b%'", Resolver(registry, authors, READER), NOW_MS) is not None


def test_limits() -> None:
    registry = make_registry()
    resolver = Resolver(registry, registry["books"], ADMIN)
    many = " || ".join(["pages=1"] * MAX_COMPARISONS)
    assert parse_filter(many, resolver, NOW_MS) is not None
    deep = "(" * MAX_DEPTH + "pages=1" + ")" * MAX_DEPTH
    assert parse_filter(deep, resolver, NOW_MS) is not None
    for text in (f"{many}||pages=1", f"({deep})", "title='" + "x" * MAX_LENGTH + "'", "(" * 3000):
        with pytest.raises(BadRequest):
            parse_filter(text, resolver, NOW_MS)


def test_longest_filter_runs(library: Database) -> None:
    many = " || ".join(["facts.cpu=1"] * MAX_COMPARISONS)
    assert _by_sql(library, make_registry(), f"{many[: MAX_LENGTH - 20].rpartition(' || ')[0]} || pages=80") == "2"


@pytest.mark.parametrize(
    ("text", "among", "at_least", "at_most"),
    [
        ("publisher = 'ann'", {"publisher": {"ann"}}, {}, {}),
        ("publisher = 'ann' || publisher = 'bob'", {"publisher": {"ann", "bob"}}, {}, {}),
        ("publisher = 'ann' && publisher = 'bob'", {"publisher": set()}, {}, {}),
        ("publisher = 'ann' || pages > 5", {}, {}, {}),
        ("printed >= '1970-01-02' && printed < @now", {}, {"printed": DAY_MS}, {"printed": NOW_MS}),
        ("pages > 5 && (pages < 9 || pages < 20)", {}, {"pages": 5}, {"pages": 20}),
        ("pages > 5 || pages > 3", {}, {"pages": 3}, {}),
        ("5 < pages", {}, {"pages": 5}, {}),
        ("pages = 5", {"pages": {5}}, {"pages": 5}, {"pages": 5}),
        ("pages != 5", {}, {}, {}),
        ("publisher = ''", {}, {}, {}),
        ("title ~ 'x'", {}, {}, {}),
        ("tags ?= 'x'", {}, {}, {}),
        ("facts.cpu > 5", {}, {}, {}),
    ],
)
def test_push_down(
    text: str, among: dict[str, set[str]], at_least: dict[str, float], at_most: dict[str, float]
) -> None:
    registry = make_registry()
    bounds = push_down(parse_filter(text, Resolver(registry, registry["shelf"], ADMIN), NOW_MS))
    assert {name: set(values) for name, values in bounds.among.items()} == among
    assert bounds.at_least == at_least
    assert bounds.at_most == at_most


def test_deepest_filter_runs(library: Database) -> None:
    deep = "(authors.books.title ?~ 'wool' && publisher.name ~ 'bob')"
    for level in range(MAX_DEPTH - 1):
        deep = f"pages=1 || ({deep})" if level % 2 else f"pages=80 && ({deep})"
    assert _by_sql(library, make_registry(), f"pages=1 || {deep}") == "2"


def test_empty_filter_is_none(tmp_path: Path) -> None:
    registry = make_registry()
    assert parse_filter("  ", Resolver(registry, registry["books"], ADMIN), NOW_MS) is None
