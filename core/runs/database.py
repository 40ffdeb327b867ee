"""The database of the store: SQLite beside the files by default, any other by its address.

Reading and writing are told apart: a SQLite transaction that will write says so when it begins, and then waits for
its turn; one that began by reading could only fail when it comes to write.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.orm import Session

from core.errors import StorageError

MIGRATIONS = Path(__file__).with_name("migrations")
LATEST = "0002"
"""The newest revision in `MIGRATIONS`, said here so that alembic is only imported where something is to be done."""

WAIT = 30.0
"""Seconds that a writer waits for another one, in this or another process."""

_MIGRATING = threading.Lock()


class Database:
    """Where the rows of a store lie.

    Parameters
    ----------
    url
        SQLAlchemy address; ``postgresql://`` is taken with the driver that is installed (pg8000).
    lock
        Path of a file by which processes take turns in preparing the tables.

    Raises
    ------
    StorageError
        When the database cannot be reached, or is newer than this SlideLens.
    """

    def __init__(self, url: str, lock: Path) -> None:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+pg8000")
        self._lock = lock
        self.name = address.render_as_string(hide_password=True)
        options: dict[str, Any] = {"pool_pre_ping": True}
        if address.get_backend_name() == "sqlite":
            # A visitor's session is a thread, and the pool hands a connection to one at a time.
            options = {"connect_args": {"timeout": WAIT, "check_same_thread": False}, "pool_size": 20}
        self._engine = create_engine(address, **options)
        if address.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writing = self._engine.execution_options(writes=True)
        with _told("opened"):
            self._migrate()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session whose reads belong together."""
        with _told("read"), Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that is committed at the end, and rolled back when anything goes wrong."""
        with _told("written"), Session(self._writing) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def revision(self) -> str:
        """Revision of the tables that are there, empty when there are none."""
        with self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(text("select version_num from alembic_version")).scalar() or "")

    def _migrate(self) -> None:
        if self.revision() == LATEST:
            return
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with _MIGRATING, FileLock(self._lock):
            found = self.revision()  # another process may have been here first
            if found == LATEST:
                return
            if found > LATEST:
                raise StorageError(
                    f"The database is of a newer SlideLens (revision {found}).",
                    f"This one knows revisions up to {LATEST} and could damage it.",
                    "Update SlideLens, or set SLIDELENS_HOME to another folder.",
                )
            migrate(self._writing)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision; what is in them stays."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Servers on several machines share no lock file.
            connection.execute(text("select pg_advisory_xact_lock(7416239)"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401  a connection of the driver
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={int(WAIT * 1000)}"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(done: str) -> Iterator[None]:
    """Say what is wrong with the database in words; faults of our own statements stay bugs."""
    try:
        yield
    except DBAPIError as error:
        # A full disk, a locked or lost database; statements that are wrong are not of this kind.
        if not isinstance(error, DatabaseError) or not _outer(error):
            raise
        raise StorageError(
            f"The database could not be {done}: {error.orig}.",
            "Scenes and runs are listed there.",
            "See that the disk is not full and the database is reachable, then try again.",
        ) from error


def _outer(error: DBAPIError) -> bool:
    return type(error).__name__ in {"OperationalError", "InterfaceError", "DatabaseError"}


def database_url(home: Path) -> str:
    """``SLIDELENS_DATABASE_URL``, else SQLite in the home folder."""
    given = os.environ.get("SLIDELENS_DATABASE_URL", "").strip()
    return given or f"sqlite:///{(home / 'slidelens.sqlite').as_posix()}"
