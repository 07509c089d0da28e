"""Connections to PostgreSQL, one a thread; they come back by themselves when the server does."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import peewee
import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_DEFAULTS: Final[Mapping[str, Any]] = {
    "connect_timeout": 10,
    "application_name": "beszel-hub",
    # Without an answer for this long a connection is as good as lost.
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
}
_SERVER_DEFAULTS: Final = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""A hub that lost its network does not keep its locks for hours."""


class Connections(peewee.PostgresqlDatabase):
    """What Peewee queries; a transaction begins with whatever `prelude` says, in the same message."""

    def __init__(
        self, url: str, prelude: Callable[[], str], prepare: Callable[[psycopg.Connection[Any]], None]
    ) -> None:
        """`prepare` is called with every new connection."""
        super().__init__("as the URL says", autoconnect=False, prefer_psycopg3=True)
        given = conninfo_to_dict(url)
        options = f"{_SERVER_DEFAULTS} {given.pop('options', '')}".strip()
        self._conninfo = make_conninfo(**{**_DEFAULTS, **given, "options": options})
        self._prelude = prelude
        self._prepare = prepare

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self._conninfo, autocommit=True)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(self, _: object = None) -> None:
        """A connection that was lost while it was idle is replaced: nothing of the transaction has happened yet."""
        try:
            self._begin_once()
        except psycopg.OperationalError:
            if self.is_alive():
                raise
            self._begin_once()

    def _begin_once(self) -> None:
        connection = self.ensure()
        try:
            connection.execute(self._prelude())
        except psycopg.Error:
            if not connection.closed:
                connection.rollback()  # Peewee does that only for what has begun
            raise

    def ensure(self) -> psycopg.Connection[Any]:
        """The connection of this thread, a new one if there was none or it is lost."""
        if not self.is_alive():
            if not self.is_closed():
                self.close()
            self.connect()
        return self._current()

    def is_alive(self) -> bool:
        """Whether this thread has a connection that is not known to be lost."""
        return not self.is_closed() and not self._current().closed

    def can_go_on(self) -> bool:
        """Whether a transaction is open in which nothing has failed."""
        return self.is_alive() and self._current().info.transaction_status is pq.TransactionStatus.INTRANS

    def _current(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self.connection()  # type: ignore[no-untyped-call]  # Peewee's
        return connection
