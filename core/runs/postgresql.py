"""The driver for PostgreSQL (pg8000), made to say in its own words that a connection is lost.

It lets some errors of the system through, a reset connection or one that timed out while it waited for an answer.
SQLAlchemy takes those for bugs: it neither calls the server again nor throws the connection away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor


class Dialect(PGDialect_pg8000):
    """As SQLAlchemy's for pg8000, but for errors of the network."""

    supports_statement_cache = True

    def connect(self, *given: Any, **named: Any) -> DBAPIConnection:  # noqa: ANN401  what the driver takes
        """Call the server; when it refuses, raise what it said.

        The driver takes leave of a server that has refused and hung up, and the error of that would hide the refusal.
        """
        try:
            with self._lost():
                return super().connect(*given, **named)
        except self.loaded_dbapi.InterfaceError as error:
            earlier: BaseException | None = error
            while earlier is not None and not isinstance(earlier, self.loaded_dbapi.DatabaseError):
                earlier = earlier.__context__
            raise earlier or error from None

    def do_ping(self, dbapi_connection: DBAPIConnection) -> bool:
        """Ask whether the server is there."""
        with self._lost():
            return super().do_ping(dbapi_connection)

    def do_execute(self, cursor: DBAPICursor, *given: Any, **named: Any) -> None:  # noqa: ANN401
        """Execute a statement."""
        with self._lost():
            super().do_execute(cursor, *given, **named)  # type: ignore[no-untyped-call]

    def do_executemany(self, cursor: DBAPICursor, *given: Any, **named: Any) -> None:  # noqa: ANN401
        """Execute a statement for many rows."""
        with self._lost():
            super().do_executemany(cursor, *given, **named)  # type: ignore[no-untyped-call]

    def do_execute_no_params(self, cursor: DBAPICursor, *given: Any, **named: Any) -> None:  # noqa: ANN401
        """Execute a statement as it stands."""
        with self._lost():
            super().do_execute_no_params(cursor, *given, **named)  # type: ignore[no-untyped-call]

    def do_commit(self, dbapi_connection: DBAPIConnection) -> None:
        """Commit."""
        with self._lost():
            super().do_commit(dbapi_connection)  # type: ignore[no-untyped-call]

    def do_rollback(self, dbapi_connection: DBAPIConnection) -> None:
        """Take back."""
        with self._lost():
            super().do_rollback(dbapi_connection)  # type: ignore[no-untyped-call]

    def do_close(self, dbapi_connection: DBAPIConnection) -> None:
        """Close the connection politely; a server that is gone needs no goodbye message."""
        with suppress(self.loaded_dbapi.InterfaceError, OSError):
            super().do_close(dbapi_connection)  # type: ignore[no-untyped-call]

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # These two words are what SQLAlchemy knows a lost connection by.
            raise self.loaded_dbapi.InterfaceError(f"network error: {error}") from error
