"""The database of the store: SQLite beside the files by default, any other by its address.

Reading and writing are told apart: a SQLite transaction that will write says so when it begins, and then waits for
its turn; one that began by reading could only fail when it comes to write.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import registry
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from core.errors import StorageError
from core.runs import files

MIGRATIONS = Path(__file__).with_name("migrations")
LATEST = "0006"
"""The newest revision in `MIGRATIONS`, repeated here so that alembic is imported only when there is work for it."""

WAIT = 30.0
"""Seconds that a writer waits for another one, in this or another process, and anybody for a server to answer."""


SERVER = "postgresql+slidelens"
"""The driver of `core.runs.postgresql`, as SQLAlchemy calls it."""


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
        address = _address(url)
        self._lock = lock
        self.name = address.render_as_string(hide_password=True)
        self._file = Path(address.database or "") if address.get_backend_name() == "sqlite" else None
        self._engine = _engine(address)
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
        # Whoever finds no file waits: two that turn an empty one to WAL at once would be told that it is locked.
        there = self._file is None or (self._file.is_file() and self._file.stat().st_size > 0)
        if there and self.revision() == LATEST:
            return
        with files.file_lock(self._lock):
            found = self.revision()  # another process may have been here first
            if found == LATEST:
                return
            if found > LATEST:
                raise StorageError(
                    f"The database belongs to a newer version of SlideLens (revision {found}).",
                    f"This version supports revisions up to {LATEST} and could damage it.",
                    "Update SlideLens, or set SLIDELENS_HOME to another folder.",
                )
            migrate(self._writing)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision, wholly or not at all; what is in them stays."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection:
        # SQLite changes some tables by making them anew: dropping the old one must not take along what refers to it.
        _set_foreign_keys(connection, "OFF")
        try:
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    # Servers on several machines share no lock file.
                    connection.execute(text("select pg_advisory_xact_lock(7416239)"))
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
        finally:
            _set_foreign_keys(connection, "ON")


def _set_foreign_keys(connection: Connection, value: str) -> None:
    if connection.dialect.name == "sqlite" and not connection.invalidated:
        # Past SQLAlchemy, which would begin a transaction, within which SQLite does not hear of it.
        connection.connection.cursor().execute(f"PRAGMA foreign_keys={value}")


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        # What is wrong may hold a password, so it is not repeated.
        raise StorageError(
            "SLIDELENS_DATABASE_URL is not a database address.",
            "The database lists images and runs.",
            "Write it as postgresql://user:password@host/name, or leave it out.",
        ) from error
    if address.drivername in ("postgresql", "postgres", "postgresql+pg8000"):
        registry.register("postgresql.slidelens", "core.runs.postgresql", "Dialect")
        return address.set(drivername=SERVER)
    return address


def _engine(address: URL) -> Engine:
    try:
        return _made(address)
    except (ArgumentError, ImportError) as error:
        raise StorageError(
            f"No driver is installed for databases of the type {address.drivername}.",
            "The database lists images and runs.",
            "Use a postgresql:// address, or leave SLIDELENS_DATABASE_URL out.",
        ) from error


def _made(address: URL) -> Engine:
    if address.get_backend_name() == "sqlite":
        # A visitor's session is a thread, and the pool hands a connection to one at a time.
        engine = create_engine(
            address, connect_args={"timeout": WAIT, "check_same_thread": False}, pool_size=20, pool_timeout=WAIT
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A server that is gone without a word would otherwise be waited for until the system gives up, for hours.
    timeout: dict[str, Any] = {"timeout": WAIT} if address.drivername == SERVER else {}
    return create_engine(address, connect_args=timeout, pool_pre_ping=True, pool_timeout=WAIT)


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401  a connection of the driver
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    # SQLite's own knows the letters of English only, and people search for names in any case.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for setting in (f"busy_timeout={int(WAIT * 1000)}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(done: str) -> Iterator[None]:
    """Say what is wrong with the database in words; faults of our own statements stay bugs."""
    try:
        yield
    except NoConnectionFree as error:
        raise _unusable(done, "all connections are in use") from error
    except DBAPIError as error:
        # A full disk, a locked or lost database; statements that are wrong are not of this kind.
        if not _outer(error.orig):
            raise
        raise _unusable(done, _words(error.orig)) from error
    except sqlite3.Error as error:  # while a connection was prepared
        raise _unusable(done, str(error)) from error


def _unusable(done: str, reason: str) -> StorageError:
    return StorageError(
        f"The database could not be {done}: {reason.rstrip('.')}.",
        "The database lists images and runs.",
        "Check that the disk is not full and the database is reachable, then try again.",
    )


_OWN_FAULTS = {"ERROR", "CONSTRAINT", "MISMATCH", "MISUSE", "RANGE", "TOOBIG", "INTERNAL"}
"""What SQLite calls errors of those who ask it; all others are of disk, file and locks."""

_OUTER_CLASSES = {"08", "25", "28", "3D", "40", "53", "55", "57", "58", "XX"}
"""First two signs of PostgreSQL's codes: connection, read-only, login, no such database, deadlock, resources, locks,
shut down, system, damage."""


def _outer(error: BaseException | None) -> bool:
    if name := getattr(error, "sqlite_errorname", ""):
        return name.split("_")[1] not in _OWN_FAULTS
    if code := _fields(error).get("C"):
        return code[:2] in _OUTER_CLASSES or code == "42501"  # may not make tables there
    return type(error).__name__ in {"OperationalError", "InterfaceError"}


def _words(error: BaseException | None) -> str:
    return _fields(error).get("M") or str(error)


def _fields(error: BaseException | None) -> dict[str, str]:
    """What a PostgreSQL server said, by its protocol's letters: C the code, M the message."""
    said = error.args[0] if error is not None and error.args else None
    return said if isinstance(said, dict) else {}


def database_url(home: Path) -> str:
    """``SLIDELENS_DATABASE_URL``, else SQLite in the home folder."""
    return os.environ.get("SLIDELENS_DATABASE_URL", "").strip() or sqlite_url(home)


def sqlite_url(home: Path) -> str:
    """Address of SQLite in the home folder, wherever a process may have been started."""
    return f"sqlite:///{(home.absolute() / 'slidelens.sqlite').as_posix()}"
