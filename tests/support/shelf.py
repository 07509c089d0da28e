"""A small library as tables and collections of its own, on which the records engine can be tried."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee

from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import (
    CREATED,
    ID,
    Collection,
    Field,
    Kind,
    ProjectedSource,
    Registry,
    Row,
    TableSource,
    Through,
)
from beszel_hub.store.database import Database
from beszel_hub.store.tables import InstantField, JsonField, Table, bound_database
from tests.support.databases import place_at

ADMIN = Actor(user_id="adminadminadmin", role="admin", scope="full")
READER = Actor(user_id="readerreaderrea", role="user", scope="full")


class Author(Table):
    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    email = peewee.TextField()

    class Meta:
        table_name = "authors"


class Book(Table):
    id = peewee.TextField(primary_key=True)
    title = peewee.TextField(null=True)
    pages = peewee.IntegerField(null=True)
    price = peewee.DoubleField(null=True)
    in_print = peewee.BooleanField(null=True)
    printed = InstantField(null=True)
    facts = JsonField(null=True)
    tags = JsonField(null=True)
    publisher = peewee.TextField(null=True)
    secret = peewee.TextField(null=True)
    created = InstantField()

    class Meta:
        table_name = "books"


class Authorship(Table):
    book_id = peewee.TextField()
    author_id = peewee.TextField()

    class Meta:
        table_name = "authorships"
        primary_key = peewee.CompositeKey("book_id", "author_id")


BOOK_FIELDS = (
    ID,
    Field(name="title", in_create=True, in_update=True, max_length=60),
    Field(name="pages", kind=Kind.NUMBER, in_create=True, in_update=True, low=1, high=10_000),
    Field(name="price", kind=Kind.NUMBER),
    Field(name="inPrint", attribute="in_print", kind=Kind.BOOL),
    Field(name="printed", kind=Kind.DATE),
    Field(name="facts", kind=Kind.JSON, max_length=1000),
    Field(name="tags", kind=Kind.LIST, in_create=True, in_update=True, max_length=5),
    Field(name="publisher", kind=Kind.RELATION, target="authors", in_create=True, in_update=True),
    Field(name="authors", kind=Kind.RELATIONS, target="authors", through=Through(Authorship, "book_id", "author_id")),
    Field(name="secret", is_hidden=True),
    CREATED,
)
AUTHOR_FIELDS = (
    ID,
    Field(name="name"),
    Field(name="email", is_private=True),
    Field(
        name="books", kind=Kind.RELATIONS, target="books", through=Through(Authorship, "author_id", "book_id"),
    ),
)  # fmt: skip


def visible_books(actor: Actor) -> Any:
    return None if actor.is_admin else Book.id.startswith("open")


def make_registry(rows: list[Row] | None = None) -> Registry:
    """`books` and `authors` are tables; `shelf` has the books as rows in memory."""

    async def read_rows(_: Actor, bounds: Bounds) -> list[Row]:
        return [row for row in rows or [] if _lies_within(row, bounds)]

    return Registry(
        (
            Collection(
                name="books", id="books_id", fields=BOOK_FIELDS, source=TableSource(table=Book, scope=visible_books)
            ),
            Collection(
                name="authors", id="authors_id", fields=AUTHOR_FIELDS,
                source=TableSource(table=Author, scope=lambda _: None),
            ),
            Collection(name="shelf", id="shelf_id", fields=BOOK_FIELDS, source=ProjectedSource(rows=read_rows)),
        )
    )  # fmt: skip


@contextmanager
def open_library(path: Path, books: list[Row], authors: list[Row]) -> Iterator[Database]:
    """A database with these rows; `authors` of a book are ids."""
    database = Database(place_at(path))
    database.open()
    database.write_now(lambda: _fill(books, authors))
    try:
        yield database
    finally:
        database.close()


def _fill(books: list[Row], authors: list[Row]) -> None:
    bound_database().create_tables([Author, Book, Authorship])
    for author in authors:
        Author.insert(**author).execute()
    insert_books(books)


def insert_books(books: list[Row]) -> None:
    """Runs on the writer thread."""
    for book in books:
        columns = {field.column: book.get(field.name) for field in BOOK_FIELDS if field.through is None}
        Book.insert(**columns).execute()
        for author_id in book.get("authors") or []:
            Authorship.insert(book_id=book["id"], author_id=author_id).execute()


def _lies_within(row: Row, bounds: Bounds) -> bool:
    """As a source does it: whatever the bounds exclude is not even looked at."""
    for name, values in bounds.among.items():
        if row.get(name) not in values:
            return False
    if any(row.get(name) is None or row[name] < value for name, value in bounds.at_least.items()):
        return False
    return not any(row.get(name) is None or row[name] > value for name, value in bounds.at_most.items())
